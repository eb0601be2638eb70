package apply

import (
	"context"

	"github.com/requeen/requeen/internal/state"
)

// ScheduleAt is a schedule of a backup on a node, as a port is told of it. It holds no
// secret: the port finds the values itself.
type ScheduleAt struct {
	Cluster      string // the cluster block's label
	Backup       string // the backup block's label
	Repository   string // the repository block's label
	Node         string // the node's name in the configuration
	At           string // HH:MM; "" where it is every so many seconds
	TimeZone     string // of At; "" for the host's
	EverySeconds int64
	FreshSeconds int64    // how old a backup may be for a run to make no other
	Exported     []string // names of values that a run gives to what it calls
	Textfile     string   // where runs leave their metrics; "" for nowhere
	Declared     string   // the digest of what is declared
	Version      string   // of the requeen that puts it there
	Token        uint64   // the lock's number (safety rule 20)
	Host         state.Host
}

// Scheduler puts schedules on hosts and takes them away. Every method may be called
// again, also after it was cut anywhere, and then ends the same; what changes something
// checks machine and run token in the shell that acts (safety rules 17, 20).
type Scheduler interface {
	// ReadySchedule finds out before the first effect whether all that a schedule needs
	// is at hand. It changes nothing but that the program is put on the host.
	ReadySchedule(ctx context.Context, s ScheduleAt) error
	// PutSchedule puts a schedule on the host, or what of it is not as it is to be.
	PutSchedule(ctx context.Context, s ScheduleAt) error
	// TakeSchedule takes one away. A run that is under way ends first.
	TakeSchedule(ctx context.Context, s ScheduleAt) error
}
