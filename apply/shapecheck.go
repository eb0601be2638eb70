package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/requeen/requeen/plan"
)

// shapes tells whether a step that changes the cluster's shape is still to be done.
func (r *runner) shapes() bool {
	for _, s := range r.p.Steps {
		if s.Shapes() && !r.j.progress.done(s.ID) {
			return true
		}
	}
	return false
}

// electionPatience is how long a swarm may be without a leader until that counts as
// lost (decisions.md).
const electionPatience = 120 * time.Second

// awaitLeader waits, where a run is gone on with that changes the cluster's shape,
// until a manager answers: the leader may have been demoted right before the cut, and
// another be elected only now.
func (r *runner) awaitLeader(ctx context.Context) error {
	if !r.result.Resumed || !r.shapes() || r.seen.Swarm != nil {
		return nil
	}
	r.emit(Event{Type: Note, Text: "no manager answers for the swarm now; the run was cut while it changed who leads it, perhaps, so an election is waited for"})
	for late := r.Clock.Now().Add(electionPatience); r.seen.Swarm == nil && r.Clock.Now().Before(late); {
		if r.stopAsked() {
			return ErrInterrupted
		}
		if err := r.sleep(ctx, max(r.req.PollEvery, time.Second)); err != nil {
			return err
		}
		if err := r.look(ctx); err != nil {
			return err
		}
	}
	return nil
}

// shaped tells whether the plan has such steps at all.
func (r *runner) shaped() bool { return slices.ContainsFunc(r.p.Steps, plan.Step.Shapes) }

// overtaken tells whether a later step of the plan removes the entry that the step is
// on, or gives it other labels: of what the step has made, once the plan was carried
// out, nothing is there to be seen.
func (t *task) overtaken() bool {
	return slices.ContainsFunc(t.p.Steps, func(s plan.Step) bool {
		switch entry := t.runner.task(s).entry(); {
		case s.ID <= t.s.ID || !s.Shapes():
			return false
		case s.Kind == plan.UpdateNode && t.s.Kind == plan.UpdateNode:
			return s.Node == t.s.Node && entry == t.entry() && s.Change.Labels != nil && t.s.Change.Labels != nil
		default:
			return s.Kind == plan.RemoveNode && t.entry() != "" && entry == t.entry()
		}
	})
}

// payload refuses a step that does not say what it is to do.
func payload(s plan.Step) error {
	lacks := ""
	switch s.Kind {
	case plan.Join:
		switch {
		case s.Node == "" || s.Join == nil || s.Join.Role != "manager" && s.Join.Role != "worker":
			lacks = "which host joins, in which role"
		case s.Join.Keep:
			return fmt.Errorf("step %d (%s %s): only a recovery joins a host with the certificates that it has", s.ID, s.Kind, s.Node)
		}
	case plan.Leave:
		if s.Node == "" || s.Entry == "" && s.NodeID == "" {
			lacks = "which host leaves"
		}
	case plan.Start, plan.Unlock:
		if s.Node == "" || s.NodeID == "" {
			lacks = "which node comes back"
		}
	case plan.Promote, plan.Demote, plan.RemoveNode:
		if s.Entry == "" && s.NodeID == "" {
			lacks = "which entry it is for"
		}
	case plan.UpdateNode:
		if s.Change == nil || s.Entry == "" && s.Node == "" {
			lacks = "what is to change of which node"
		}
	case plan.UpdateSwarm:
		if s.Settings == nil {
			lacks = "what is to change"
		}
	case plan.Rebalance:
		if s.Service == "" {
			lacks = "which service it is for"
		}
	}
	if lacks == "" {
		return nil
	}
	return fmt.Errorf("step %d (%s %s) does not say %s", s.ID, s.Kind, s.Node, lacks)
}

// carriesOut refuses a plan that there are no ports for.
func (p Ports) carriesOut(pl *plan.Plan) error {
	if pl.Recovery != nil && p.Recoverer == nil {
		return errors.New("nothing here can carry a recovery out")
	}
	if restoresData(pl) && p.Recoverer == nil {
		return errors.New("nothing here can restore data")
	}
	for _, s := range pl.Steps {
		if s.Shapes() && p.Shaper == nil {
			return errors.New("nothing here can change a cluster's shape")
		}
		if s.Schedules() && p.Scheduler == nil {
			return errors.New("nothing here can put a schedule on a host")
		}
	}
	return nil
}
