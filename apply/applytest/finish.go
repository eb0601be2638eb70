package applytest

import (
	"context"
	"errors"
	"time"

	"github.com/requeen/requeen/apply"
)

// finish is what the end of a recovery does to the world.
type finish struct {
	key, delivered int    // how often the unlock key was made anew, and which reached its place
	keyFor         string // the recovery that made it anew
	sealedAt       time.Time
	checks         []string
}

// resealTakes is how long managers take to seal their keys anew.
const resealTakes = 2 * time.Second

// RotateUnlockKey makes the key anew, once for a recovery.
func (p *Process) RotateUnlockKey(_ context.Context, op apply.Operation) error {
	w := p.w
	return w.call("RotateUnlockKey", op.Node, func() error {
		if w.keyFor != op.ID {
			w.key, w.keyFor, w.sealedAt = w.key+1, op.ID, w.Clock.Now().Add(resealTakes)
		}
		return nil
	})
}

// DeliverUnlockKey keeps which key was delivered.
func (p *Process) DeliverUnlockKey(_ context.Context, op apply.Operation) (string, error) {
	err := p.w.call("DeliverUnlockKey", op.Node, func() error {
		if op.KeyTo == (apply.KeyTo{}) {
			p.w.violate("a key is delivered nowhere")
		}
		if p.w.Faults.Undelivered {
			return errors.New("the key's place can't be written")
		}
		p.w.delivered = p.w.key
		return nil
	})
	return "the new key is in its place", err
}

// Resealed tells whether the managers had time to seal their keys anew.
func (p *Process) Resealed(_ context.Context, ops []apply.Operation) (all bool, seen string, err error) {
	err = p.w.call("Resealed", ops[0].Node, func() error {
		all, seen = !p.w.Clock.Now().Before(p.w.sealedAt), "every key is sealed anew"
		return nil
	})
	return all, seen, err
}

// RunCheck runs a command.
func (p *Process) RunCheck(_ context.Context, op apply.Operation, line func(string)) error {
	failing := false
	err := p.w.call("RunCheck", op.Node, func() error {
		if failing = op.Command == p.w.Faults.FailingCheck; failing {
			return errors.New("it ended with status 1: not yet")
		}
		p.w.checks = append(p.w.checks, op.Command)
		return nil
	})
	if failing {
		line("not yet")
	}
	return err
}

// Checks are the commands that succeeded, in order.
func (w *World) Checks() []string { return w.checks }

// undelivered is the recovery whose key is not in its place.
func (w *World) undelivered() string {
	if w.key == w.delivered {
		return ""
	}
	return w.keyFor
}

// Keys is how often the unlock key was made anew, and which was delivered last.
func (w *World) Keys() (made, delivered int) { return w.key, w.delivered }
