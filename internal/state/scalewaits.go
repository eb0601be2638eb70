package state

// ScaleWaitsLabel is the label beside ScaleLabel on a service that is kept from starting
// until its data is restored: its value is the ID of the backup that the data comes out
// of. A plan that finds only ScaleLabel gives the service its scale back; with this one
// the data comes first, and whoever resumes the service removes both.
const ScaleWaitsLabel = "io.requeen.scale-waits"
