package plan

// DataWork is what a step on the applications' data is about: of volumes and
// directories that share a service, which are read while it has no task.
type DataWork struct {
	// Services are the names of the services that a quiesce step scales to 0, and
	// that a resume step gives their scale back.
	Services []string `json:"services,omitempty"`
	// Commands are run by a quiesce step before that, by a resume step after it.
	Commands []DataCommand `json:"commands,omitempty"`
	// Sources are what an archive-data step reads; those of one node after each
	// other, those of several nodes side by side. A quiesce step names them too, for
	// it is what they are left out for when it fails.
	Sources []DataSource `json:"sources,omitempty"`
}

// words name in a plan's summary what a step of a kind does: to which services, or with
// which data.
func (w *DataWork) words(k Kind) string {
	names := w.Services
	if k == ArchiveData {
		names = nil
		for _, s := range w.Sources {
			names = append(names, s.ID())
		}
	}
	if len(names) == 0 { // nothing is at rest, and commands are all there is
		return map[Kind]string{Quiesce: "run its commands before", Resume: "run its commands after"}[k]
	}
	return kindWords[k] + " " + listing(names)
}

// DataSource is a volume or a directory that is read.
type DataSource struct {
	Kind   string `json:"kind"`             // volume or directory
	Name   string `json:"name"`             // its block's label
	Node   string `json:"node"`             // the node's name in the configuration
	Volume string `json:"volume,omitempty"` // its name for the engine
	Path   string `json:"path,omitempty"`   // of a directory
	// Consistency is how sure it is that what is read is of one moment: quiesced,
	// commands or live.
	Consistency    string   `json:"consistency"`
	Quiesce        []string `json:"quiesce,omitempty"` // names of services
	TimeoutSeconds int      `json:"timeout_seconds"`   // of its reading, and of each of its commands
	// Continue lets the backup be made without it where it can't be read.
	Continue bool `json:"continue,omitempty"`
	// LeftOut is why it can't be read, as it was seen when the plan was made: the
	// backup is made without it.
	LeftOut string `json:"left_out,omitempty"`
}

// ID names a source as the command line does: volume.pgdata.
func (s DataSource) ID() string { return s.Kind + "." + s.Name }

// DataCommand is a command of a data source, as it was reviewed with the plan.
type DataCommand struct {
	Source         string   `json:"source"`            // such as volume.pgdata
	Node           string   `json:"node"`              // the node's name in the configuration
	Service        string   `json:"service,omitempty"` // in a container that it has there; empty: on the host
	Args           []string `json:"args"`              // the program and its arguments
	TimeoutSeconds int      `json:"timeout_seconds"`   // of the command
}
