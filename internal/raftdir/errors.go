package raftdir

import (
	"errors"
	"strings"
)

// The classes of what can be wrong with a copy; errors.Is finds them in every
// error of this package that is about a copy.
var (
	// ErrMissing: a file that a manager needs is not there.
	ErrMissing = errors.New("missing")
	// ErrUnreadable: a file could not be read, so whether it is good is
	// unknown; never the same as missing (safety rule 4).
	ErrUnreadable = errors.New("unreadable")
	// ErrInUse: the log is locked by a running engine, so this is no copy.
	ErrInUse = errors.New("in use")
	// ErrCertificate: the node certificate can't be parsed, or does not chain
	// to the root CA beside it.
	ErrCertificate = errors.New("certificate")
	// ErrRootCA: the root CA can't be parsed, or is not the swarm's.
	ErrRootCA = errors.New("root CA")
	// ErrNotManager: the certificate, or the swarm's own record, says that
	// this node is no manager or is about to be none.
	ErrNotManager = errors.New("not a manager")
	// ErrKeyDamaged: the node key can't be parsed.
	ErrKeyDamaged = errors.New("key damaged")
	// ErrKeyMismatch: the node key belongs to another certificate.
	ErrKeyMismatch = errors.New("key mismatch")
	// ErrLocked: the node key is sealed and no unlock key was given.
	ErrLocked = errors.New("locked")
	// ErrWrongUnlockKey: the unlock key does not open the node key.
	ErrWrongUnlockKey = errors.New("wrong unlock key")
	// ErrNoLogKey: the node key's headers hold no key for the log.
	ErrNoLogKey = errors.New("no log key")
	// ErrLogKey: the log or its snapshot does not open with the keys in the
	// node key's headers.
	ErrLogKey = errors.New("log key")
	// ErrLogDamaged: the log has a wrong checksum, a torn end or a gap.
	ErrLogDamaged = errors.New("log damaged")
	// ErrSnapshotDamaged: the newest snapshot can't be read, or the log does
	// not know it.
	ErrSnapshotDamaged = errors.New("snapshot damaged")
	// ErrCommit: the written commit index lies outside the log; an engine
	// panics on it.
	ErrCommit = errors.New("commit out of range")
	// ErrBehind: the log ends before the index that the swarm was seen to have.
	ErrBehind = errors.New("behind")
	// ErrStore: an entry or the snapshot does not decode to the swarm's objects.
	ErrStore = errors.New("store")
	// ErrWrongCluster: the log holds no cluster, or another than the certificate's.
	ErrWrongCluster = errors.New("wrong cluster")
	// ErrRemoved: the node is not in the raft membership that the log tells.
	ErrRemoved = errors.New("removed from the membership")
	// ErrLoader: swarmkit's own loader refuses the log, or reads another one
	// than this package did.
	ErrLoader = errors.New("loader")
)

// Error is what is wrong with one file of a copy. It holds no secret.
type Error struct {
	Kind error  // one of the classes above
	File string // relative to the swarm directory
	What string // what is wrong with it
	Why  string // why that matters
	Err  error  // the cause, where there is one
}

// Error says what is wrong with which file, and why it matters.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File + ": " + e.What)
	if e.Err != nil {
		b.WriteString(" (" + e.Err.Error() + ")")
	}
	if e.Why != "" {
		b.WriteString("; " + e.Why)
	}
	return b.String()
}

// Unwrap gives the class and the cause to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// guarded runs f and turns a panic into failure: the decoders of etcd and of
// the sealed key panic on some damaged input, and a damaged copy must not take
// the process down. The panic's value is left out, since it may quote input.
func guarded(failure Error, f func() error) (err error) {
	defer func() {
		if recover() != nil {
			failure.What += " (the decoder gave up on it)"
			err = &failure
		}
	}()
	return f()
}
