package apply

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

func probeJoined(ctx context.Context, t *task) (bool, string, error) {
	joined, seen, err := t.Recoverer.Joined(ctx, t.joinOperation())
	return err == nil && joined, seen, nil
}

// joinOperation names the manager through which a host joins: the one out of
// which the cluster was made, else any that the swarm has.
func (t *task) joinOperation() Operation {
	op := t.operation(t.s.Node)
	if op.Source != "" || t.seen.Swarm == nil {
		return op
	}
	for _, n := range t.seen.Swarm.Nodes {
		if !n.Leader {
			continue
		}
		for _, h := range t.seen.Hosts {
			if h.Engine.NodeID == n.ID && h.Looked == state.Present {
				op.Source, op.Address = h.Name, n.ManagerAddr
			}
		}
	}
	return op
}

func joinSwarm(ctx context.Context, t *task) error {
	op := t.joinOperation()
	if op.Source == "" {
		return stepError(t.s, diag.NotHealthy, "No manager was found through which "+t.s.Node+" can join",
			"The leader's host can't be reached.", "Bring it back, then run requeen apply again.", nil)
	}
	if _, _, err := net.SplitHostPort(op.Address); err != nil {
		return fmt.Errorf("%s: %q is no manager's address: %w", t.s.Node, op.Address, err)
	}
	return t.acts(ctx, "Joining the swarm", func(ctx context.Context) error { return t.Recoverer.JoinSwarm(ctx, op) })
}

func waitJoined(ctx context.Context, t *task) (string, error) {
	op, seen := t.joinOperation(), ""
	err := t.poll(ctx, t.s.Node+" is in the swarm", func(ctx context.Context) (bool, error) {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		joined, text, err := t.Recoverer.Joined(call, op)
		var left *NotJoinedError
		if errors.As(err, &left) {
			seen = left.Error()
			return false, t.joinsAnew(ctx, op, left)
		}
		if t.lastSeen, seen = text, text; joined {
			t.lastSeen = ""
		}
		return joined, err
	})
	return seen, err
}

// joinsAnew asks again for a join that the engine gave up: the swarm had no leader for a
// while, and an engine does not try again by itself.
func (t *task) joinsAnew(ctx context.Context, op Operation, left *NotJoinedError) error {
	if t.lastErr == nil {
		t.note(t.s, "%v; it joins anew", left)
	}
	call, cancel := t.within(ctx)
	defer cancel()
	return t.Recoverer.JoinSwarm(call, op)
}

func takeOver(ctx context.Context, t *task) error {
	return t.insist(ctx, "Putting labels and availability back", func(ctx context.Context) error {
		return t.Recoverer.TakeOver(ctx, t.joinOperation())
	})
}

func removeEntry(ctx context.Context, t *task) error {
	return t.insist(ctx, "Removing the old entry", func(ctx context.Context) error {
		return t.Recoverer.RemoveEntry(ctx, t.joinOperation())
	})
}

func rotateJoinTokens(ctx context.Context, t *task) error {
	return t.insist(ctx, "Making the join tokens anew", func(ctx context.Context) error {
		return t.Recoverer.RotateJoinTokens(ctx, t.joinOperation())
	})
}
