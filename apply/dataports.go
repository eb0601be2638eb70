package apply

import (
	"context"

	"github.com/requeen/requeen/internal/state"
)

// Data brings applications to rest and reads their data. Every method may be called again
// for the same thing, also after it was cut anywhere, and then ends the same. What is told
// of a Shape is Cluster, SwarmID, Token, Through and Service.
type Data interface {
	// QuiesceService takes every task of the service away and records in the same update
	// what scale it is to have (state.ScaleLabel).
	QuiesceService(ctx context.Context, s Shape) error
	// ServiceQuiesced tells whether it carries the record and has no task that is not over.
	ServiceQuiesced(ctx context.Context, s Shape) (quiesced bool, seen string, err error)
	// ResumeService gives the service the scale that is recorded and removes the record.
	// A service without one is left alone; one that is gone is a *NoServiceError.
	ResumeService(ctx context.Context, s Shape) error
	// ServiceResumed tells whether it carries no record, and has as many tasks as it is to.
	ServiceResumed(ctx context.Context, s Shape) (resumed bool, seen string, err error)
	// RunDataCommand runs a command and waits for its end; a status other than 0 is an
	// error with what it wrote.
	RunDataCommand(ctx context.Context, c DataCommand) error
	// StoreData reads the source and stores its archive under the ID of the backup that is
	// being made, in place of what a cut earlier try left of it.
	StoreData(ctx context.Context, r DataRequest, progress func(StoreProgress)) (StoredData, error)
}

// DataCommand is a command on a host, or in a container that a service has there.
type DataCommand struct {
	Cluster string     // the cluster block's label
	Token   uint64     // the lock's number (safety rule 20)
	Host    state.Host // as it was last seen
	Node    string     // the node's name in the configuration
	Service string     // "" is the host itself
	Args    []string
	Seconds int // how long it may run
}

// DataRequest is a data source to be read.
type DataRequest struct {
	ID         string // the backup's
	Repository string // the repository block's label
	Host       state.Host
	SideBySide bool             // another source is read at the same time
	Source     state.BackupData // what of it is known before: Kind, Name, Node, Volume, Path, Consistency, Quiesced
}

// StoredData is a data source as a backup holds it.
type StoredData struct {
	Data   state.BackupData   `json:"data"`
	Object state.StoredObject `json:"object"` // zero where the data is missing
	// Apart are other file systems that are mounted below the directory, and not in it.
	Apart []string `json:"apart,omitempty"`
}
