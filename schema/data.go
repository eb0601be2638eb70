package schema

import (
	"time"

	"github.com/requeen/requeen/internal/diag"
)

// Kinds of data that a backup takes beside the swarm.
const (
	DataVolume    = "volume"
	DataDirectory = "directory"
)

// What becomes of a backup when one of its data sources can't be read.
const (
	OnErrorFail     = "fail"
	OnErrorContinue = "continue"
)

// DefaultDataTimeout is how long each part of a data source may take where timeout
// says nothing.
const DefaultDataTimeout = time.Hour

// Data is a volume or a directory that a backup takes beside the swarm.
type Data struct {
	Kind string // DataVolume or DataDirectory
	Name string // the block's label, unique in its backup among those of its kind
	Node string // the name of a declared node that can be reached
	// Volume is the volume's name for the engine of the node; empty of a directory.
	Volume string
	Path   string // of a directory: absolute; empty of a volume
	// Quiesce are the names of the services that are scaled to 0 while it is read.
	Quiesce       []string
	Before, After *Command // nil = none
	Timeout       time.Duration
	OnError       string // OnErrorFail or OnErrorContinue
	Range         diag.Range
}

// ID names a data source in a backup, and where a part of a backup is asked for:
// volume.pgdata.
func (d Data) ID() string { return d.Kind + "." + d.Name }

// Command is run before or after a data source is read: on its node's host, or in a
// container that a service has there.
type Command struct {
	Service string   // "" = on the host, as root
	Args    []string // the program and its arguments; no shell is between
	Range   diag.Range
}

// UsesServices tells whether services are at rest, or run a command, for it.
func (d Data) UsesServices() bool {
	return len(d.Quiesce) > 0 || d.Before != nil && d.Before.Service != "" || d.After != nil && d.After.Service != ""
}
