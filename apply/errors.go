package apply

import (
	"fmt"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// HeldError says that another run holds the repository's lock.
type HeldError struct {
	Repository string
	Lock       state.Lock
	Age        time.Duration // since it was taken, by this machine's clock
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("repository %s is locked by another run: %s, since %s (lock %d)",
		e.Repository, e.Lock.Owner, e.Lock.CreatedAt.UTC().Format(time.RFC3339), e.Lock.Number)
}

// UnreadableError says that a copy did not verify; nothing was stored of it.
type UnreadableError struct {
	Node string
	Err  error
}

func (e *UnreadableError) Error() string {
	return fmt.Sprintf("%s: the copy of the swarm directory does not verify: %v", e.Node, e.Err)
}

func (e *UnreadableError) Unwrap() error { return e.Err }

// NotKeptError says that a backup which is to stay is not there, whole, any more.
type NotKeptError struct {
	ID     string // the backup's
	Reason string // what was found, as a clause
}

func (e *NotKeptError) Error() string {
	return fmt.Sprintf("the backup %s, which was to stay: %s", e.ID, e.Reason)
}
