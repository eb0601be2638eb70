package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/requeen/requeen/plan"
)

// shapeKinds are how the steps that change a cluster's shape are run. All of them
// can be begun anew, and the probe of each sees its effect, so that a run that was
// cut anywhere is gone on with by what is there.
var shapeKinds = map[plan.Kind]kind{
	plan.Join:        shaping{"Joining the swarm", "%s is in the swarm", guardJoin, Shaper.JoinNode, Shaper.NodeReady}.kind(),
	plan.Promote:     shaping{"Promoting the node", "%s is a reachable manager", guardPromote, Shaper.SetRole, Shaper.HasRole}.kind(),
	plan.Demote:      shaping{"Demoting the manager", "%s is no manager any more", guardDemote, Shaper.SetRole, Shaper.HasRole}.kind(),
	plan.Leave:       shaping{"Leaving the swarm", "%s has left the swarm", guardLeave, Shaper.LeaveSwarm, Shaper.HasLeft}.kind(),
	plan.RemoveNode:  shaping{"Removing the entry", "the entry of %s is gone", guardRemove, Shaper.RemoveNode, Shaper.IsRemoved}.kind(),
	plan.UpdateNode:  updateNodeKind,
	plan.UpdateSwarm: updateSwarmKind,
	plan.Rebalance:   rebalanceKind,
	plan.Start:       startAgainKind,
	plan.Unlock:      unlockAgainKind,
}

// shaping is a change that is told once and then waited for.
type shaping struct {
	doing string // as the subject of "failed"
	until string // what is waited for, of the node
	guard func(context.Context, *task) error
	tell  func(Shaper, context.Context, Shape) error
	has   func(Shaper, context.Context, Shape) (bool, string, error)
}

func (s shaping) kind() kind {
	return kind{
		guard: s.guard,
		probe: func(ctx context.Context, t *task) (bool, string, error) { return t.ask(ctx, s.has) },
		act:   func(ctx context.Context, t *task) error { return t.tell(ctx, s.doing, s.tell) },
		wait: func(ctx context.Context, t *task) (seen string, err error) {
			err = t.poll(ctx, fmt.Sprintf(s.until, t.name()), func(ctx context.Context) (done bool, err error) {
				done, seen, err = t.ask(ctx, s.has)
				return done, t.gaveUp(err)
			})
			return seen, err
		},
	}
}

// shape is what a port is told of the step.
func (t *task) shape() Shape {
	s := Shape{ID: t.shapeID(), Cluster: t.p.Cluster, SwarmID: t.p.SwarmID, Node: t.s.Node, Entry: t.entry(),
		Token: t.highestLock(), Through: t.through(), Service: t.s.Service,
		Mark: fmt.Sprintf("%.12s-%d", digestHex(t.req.Digest), t.s.ID)}
	if h := t.seen.Host(t.s.Node); h != nil {
		s.Host = *h
	}
	switch t.s.Kind {
	case plan.Join:
		s.Role = t.s.Join.Role
	case plan.Promote:
		s.Role = "manager"
	case plan.Start, plan.Unlock:
		s.Role = "worker"
		if n := t.listed(t.s.NodeID); n != nil {
			s.Role = n.Role
		}
	case plan.Demote:
		s.Role = "worker"
	case plan.UpdateNode:
		s.Availability, s.Labels = t.s.Change.Availability, t.s.Change.Labels
	case plan.UpdateSwarm:
		s.Settings = Settings(*t.s.Settings)
		if to := t.s.KeyTo; to != nil {
			s.KeyTo = KeyTo{File: to.File, Repository: to.Repository, Command: to.Command}
		}
	}
	return s
}

// shapeID is in the form of the ID of a recovery: what it leaves in the swarm of an
// unlock key is gone on with by either.
func (t *task) shapeID() string {
	return fmt.Sprintf("%s-%.6s", t.p.PlannedAt.UTC().Format("20060102T150405Z"), digestHex(t.req.Digest))
}

// entry is the swarm's ID of the node that the step is about; "" is the host's own
// present one, which nobody knew when the plan was made.
func (t *task) entry() string {
	if t.s.Entry == "" && t.s.Kind != plan.UpdateNode && t.s.Kind != plan.Join {
		return t.s.NodeID
	}
	return t.s.Entry
}

// called is what the step is on, in a word: the node as declared, else as the swarm
// calls it.
func (t *task) called() string {
	if t.s.OnRepository() {
		return t.s.Repository
	}
	if t.s.Node != "" {
		return t.s.Node
	}
	if n := t.listed(t.s.Entry); n != nil && n.Hostname != "" {
		return n.Hostname
	}
	return t.s.Entry
}

// name is called with the ID of an entry that no node block declares: hostnames are
// not unique.
func (t *task) name() string {
	if name := t.called(); t.s.Node != "" || t.s.OnRepository() || name == t.s.Entry {
		return name
	}
	return t.called() + " (" + t.s.Entry + ")"
}

// ask looks once whether the step's change is there. Where no manager answers it is
// looked for those that may.
func (t *task) ask(ctx context.Context, has func(Shaper, context.Context, Shape) (bool, string, error)) (bool, string, error) {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	done, seen, err := has(t.Shaper, call, t.shape())
	t.lookElsewhere(ctx, err)
	if t.lastSeen = seen; done {
		t.lastSeen = ""
	}
	return done, seen, err
}

// tell has the effect, through those that may take it: a leader that is demoted, or is
// lost, is followed by another.
func (t *task) tell(ctx context.Context, doing string, tell func(Shaper, context.Context, Shape) error) error {
	var refused error
	return t.insist(ctx, doing, func(ctx context.Context) error {
		t.lookElsewhere(ctx, refused)
		refused = tell(t.Shaper, ctx, t.shape())
		return refused
	})
}

// insist has an effect that does no harm when it is had twice. While no manager takes
// it, as before a new leader is elected, it is asked for again until the step's time is
// over.
func (t *task) insist(ctx context.Context, doing string, act func(context.Context) error) error {
	return t.acts(ctx, doing, func(ctx context.Context) error {
		for told := false; ; told = true {
			err := act(ctx)
			if !errors.Is(err, ErrNoManager) || !t.Clock.Now().Before(t.deadline) {
				return err
			}
			if !told {
				t.note(t.s, "no manager takes it now; it is asked again until %s: %v", clock(t.deadline), err)
			}
			if err := t.sleep(ctx, t.req.PollEvery); err != nil {
				return err
			}
			if err := t.mayAct(); err != nil {
				return err
			}
		}
	})
}

// lookElsewhere observes again where no manager answered.
func (t *task) lookElsewhere(ctx context.Context, err error) {
	if !errors.Is(err, ErrNoManager) {
		return
	}
	if st, err := t.Observer.Observe(ctx); err == nil {
		t.seen = st
	}
}

// gaveUp makes an error final that no waiting mends: an engine that has been seen
// for a while to join no swarm, and an update that the swarm has stopped.
func (t *task) gaveUp(err error) error {
	var stopped *UpdateStoppedError
	if errors.As(err, &stopped) {
		return final{stepError(t.s, "", "The swarm does not finish the update of the service "+stopped.Service, ended(sentence(stopped.Error())),
			"Look at its tasks (docker service ps "+stopped.Service+"), mend what they say, then docker service update --force "+stopped.Service+" and run requeen apply again.", err)}
	}
	var left *NotJoinedError
	if !errors.As(err, &left) {
		t.deadSince = time.Time{}
		return err
	}
	if t.deadSince.IsZero() {
		t.deadSince = t.Clock.Now()
	}
	if t.Clock.Now().Sub(t.deadSince) < deadAfter {
		return nil
	}
	return final{stepError(t.s, "", t.s.Node+" did not get into the swarm", ended(sentence(left.Error()))+" A join that fails leaves nothing of a swarm on the host.",
		"Mend what the engine says (journalctl -u docker on "+t.s.Node+" says more), then run requeen apply again: it joins it anew.", err)}
}
