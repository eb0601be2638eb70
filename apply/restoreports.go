package apply

import (
	"context"
	"strings"
)

// DataRestore is one step of a restore of the applications' data, as a port is told of
// it. It holds no secret.
type DataRestore struct {
	// Shape says of which swarm, through which managers and on which node.
	Shape
	RestoreID  string
	Label      string // the value of state.ScaleWaitsLabel
	Services   []string
	Repository string
	Backup     string // the ID of the backup

	// Of a restore-volume step.
	Kind, Name   string // state.DataVolume or state.DataDirectory, and the label of its block
	Volume, Path string
	ObjectSHA256 string // of the stored archive
	// Replace sets aside what is in the place. Otherwise data are put only where
	// nothing is.
	Replace bool
}

// DataRestored is what came of restoring one volume or directory.
type DataRestored struct {
	Place  string // the directory on the host
	Before bool   // an earlier try has done it
	Kept   bool   // the place holds something, and was left as it is
	// Asides are the directories that hold what was in the place.
	Asides       []string
	Files, Bytes int64
}

// DataRestorer puts the applications' data back. Every method may be called again for
// the same restore, also after it was cut anywhere, and then ends the same. What changes
// something checks machine and run token of the host (safety rules 17, 20); what asks or
// tells the swarm gives ErrNoManager where no manager answers.
type DataRestorer interface {
	// ReadyData reads the archive of a restore-volume step to its end, before the first
	// effect: it opens with what is at hand, its digest holds, and its place can take it.
	// It changes nothing.
	ReadyData(ctx context.Context, d DataRestore) error
	// Withhold takes every task of the services away, and records in their labels
	// which scale they are to have and what they wait for. A service that the swarm
	// does not have is passed over.
	Withhold(ctx context.Context, d DataRestore) error
	// Withheld tells whether none of the services has a task that is not over.
	Withheld(ctx context.Context, d DataRestore) (all bool, seen string, err error)
	// RestoreData unpacks one volume or directory beside its place, sets aside what
	// is there and puts it there. A volume that is not there is made. Nothing is
	// changed while a container uses it, also one that was started while it was
	// unpacked: the error is a *DataUsedError, and the next call goes on from there.
	RestoreData(ctx context.Context, d DataRestore, progress func(StoreProgress)) (DataRestored, error)
	// Release gives every service that waits for this restore its scale back.
	Release(ctx context.Context, d DataRestore) error
	// Released tells whether no service waits for this restore any more.
	Released(ctx context.Context, d DataRestore) (all bool, seen string, err error)
}

// DataUsedError says that containers which are up use a volume or a directory.
type DataUsedError struct {
	Node, Source string
	Containers   []string // their names
	Strangers    []string // of those, the ones that are no service's
}

func (e *DataUsedError) Error() string {
	return e.Source + " on " + e.Node + " is in use by " + strings.Join(e.Containers, ", ")
}
