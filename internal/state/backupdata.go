package state

import "time"

// Kinds of data that a backup takes beside the swarm.
const (
	DataVolume    = "volume"    // a volume of a host's engine
	DataDirectory = "directory" // a directory of a host
)

// How sure it is that what was read of a data source is of one moment.
const (
	DataQuiesced = "quiesced" // the services that use it were scaled to 0
	DataCommands = "commands" // a command before, and perhaps one after, saw to it
	DataLive     = "live"     // it was read while it may have been written to
)

// DataObject is the archive beside the others that holds DataFile; stored it has what
// the repository adds to the name. A backup without data has none.
const DataObject = "data.tar"

// DataFile is its one entry: a []BackupData as JSON, in the order of the manifest's,
// with all their fields: what of them tells too much for a manifest is encrypted there.
const DataFile = "data.json"

// BackupData is what a backup holds of one data source.
type BackupData struct {
	Kind string `json:"kind"` // DataVolume or DataDirectory
	Name string `json:"name"` // the label of its block
	Node string `json:"node"` // the node's name in the configuration
	// Object is its name in Stored, such as volume-pgdata.tar.zst.age; empty where
	// Missing.
	Object string `json:"object,omitempty"`
	// Missing tells that it could not be read, and that on_error = "continue" let
	// the backup go on without it.
	Missing     bool      `json:"missing,omitempty"`
	Consistency string    `json:"consistency,omitempty"` // DataQuiesced, DataCommands or DataLive
	Files       int64     `json:"files"`                 // entries in its archive, directories among them
	Bytes       int64     `json:"bytes"`                 // of the archive before it was compressed
	TakenAt     time.Time `json:"taken_at,omitzero"`     // when it began to be read, UTC
	// Changed tells that files changed or vanished while they were read.
	Changed bool `json:"changed,omitempty"`

	// What follows is in DataFile only, and in no manifest (Public).

	Volume   string            `json:"volume,omitempty"`   // its name for the engine
	Path     string            `json:"path,omitempty"`     // of a directory
	Driver   string            `json:"driver,omitempty"`   // of a volume
	Labels   map[string]string `json:"labels,omitempty"`   // of a volume
	Options  map[string]string `json:"options,omitempty"`  // of its driver
	Quiesced []string          `json:"quiesced,omitempty"` // names of services
	Failure  string            `json:"failure,omitempty"`  // why it is missing, or what changed
}

// ID names a data source as -only and -exclude do: volume.pgdata.
func (d BackupData) ID() string { return d.Kind + "." + d.Name }

// Public is what of it a manifest may tell.
func (d BackupData) Public() BackupData {
	d.Volume, d.Path, d.Driver, d.Labels, d.Options, d.Quiesced, d.Failure = "", "", "", nil, nil, nil, ""
	return d
}

// DataArchive is the name of a data source's archive, without what the repository
// adds to it: volume-pgdata.tar.
func DataArchive(kind, name string) string { return kind + "-" + name + ".tar" }
