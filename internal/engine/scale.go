package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"

	"github.com/requeen/requeen/internal/state"
)

// QuiesceService takes every task of a service away, and records in the same update,
// in a label of the service's own, what scale it is to have: a replicated one is scaled
// to 0, a global one gets a placement constraint that no node fulfils. A service that
// carries the label already keeps what it says, whoever wrote it. A job is refused.
func (c *Client) QuiesceService(ctx context.Context, name string) error {
	return c.rescale(ctx, "take the tasks of a service away", name, func(spec *swarm.ServiceSpec) error {
		scale, recorded := spec.Labels[state.ScaleLabel]
		switch m := spec.Mode; {
		case m.Replicated != nil:
			var have uint64
			if m.Replicated.Replicas != nil {
				have = *m.Replicated.Replicas
			}
			if recorded && have == 0 {
				return errUnchanged
			}
			if !recorded || have > 0 { // somebody gave it a scale since
				scale = state.ScaleValue(have)
			}
			none := uint64(0)
			m.Replicated.Replicas = &none
		case m.Global != nil:
			if recorded && constrained(spec) {
				return errUnchanged
			}
			scale = state.ScaleGlobal
			if !constrained(spec) {
				if spec.TaskTemplate.Placement == nil {
					spec.TaskTemplate.Placement = &swarm.Placement{}
				}
				p := spec.TaskTemplate.Placement
				p.Constraints = append(slices.Clone(p.Constraints), state.ScaleConstraint)
			}
		default:
			return fmt.Errorf("%s is a job: it has no scale to go back to", name)
		}
		if spec.Labels == nil {
			spec.Labels = map[string]string{}
		}
		spec.Labels[state.ScaleLabel] = scale
		return nil
	})
}

// ResumeService gives a service the scale that its label records, and removes the label
// in the same update. Without the label it changes nothing, and a scale that somebody
// gave the service meanwhile stays.
func (c *Client) ResumeService(ctx context.Context, name string) error {
	return c.rescale(ctx, "give a service its scale back", name, func(spec *swarm.ServiceSpec) error {
		value, recorded := spec.Labels[state.ScaleLabel]
		if !recorded {
			return errUnchanged
		}
		replicas, _, ok := state.ParseScale(value)
		if !ok {
			return fmt.Errorf("the label %s of %s is %q, which is no scale: give it the right one (docker service scale), and remove the label", state.ScaleLabel, name, value)
		}
		if m := spec.Mode.Replicated; m != nil && (m.Replicas == nil || *m.Replicas == 0) {
			m.Replicas = &replicas
		}
		if p := spec.TaskTemplate.Placement; p != nil {
			p.Constraints = slices.DeleteFunc(slices.Clone(p.Constraints), func(s string) bool { return s == state.ScaleConstraint })
		}
		delete(spec.Labels, state.ScaleLabel)
		delete(spec.Labels, state.ScaleWaitsLabel)
		return nil
	})
}

func constrained(spec *swarm.ServiceSpec) bool {
	p := spec.TaskTemplate.Placement
	return p != nil && slices.Contains(p.Constraints, state.ScaleConstraint)
}

// rescale reads a service, changes its spec and writes it.
func (c *Client) rescale(ctx context.Context, what, name string, change func(*swarm.ServiceSpec) error) error {
	return twice(func() error {
		found, err := c.service(ctx, what, name)
		if err != nil {
			return err
		}
		spec := found.Spec
		if err := change(&spec); errors.Is(err, errUnchanged) {
			return nil
		} else if err != nil {
			return &Error{Call: what, Cause: err}
		}
		return c.do(ctx, what, func(ctx context.Context) error {
			_, err := c.api.ServiceUpdate(ctx, found.ID, found.Version, spec, swarm.ServiceUpdateOptions{})
			return err
		})
	})
}

// ServiceScale is how a service stands: what it is to have, and how many of its tasks
// are not over, those that are being stopped among them.
func (c *Client) ServiceScale(ctx context.Context, name string) (scale state.ServiceScale, alive int, wanted, running uint64, err error) {
	const what = "look at the scale of a service"
	found, err := c.service(ctx, what, name)
	if err != nil {
		return scale, 0, 0, 0, err
	}
	tasks, err := call(ctx, c, what, func(ctx context.Context) ([]swarm.Task, error) {
		return c.api.TaskList(ctx, swarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("service", found.ID))})
	})
	if err != nil {
		return scale, 0, 0, 0, err
	}
	for _, t := range tasks {
		if !over[t.Status.State] {
			alive++
		}
	}
	s := serviceOf(found)
	return scaleOf(found), alive, s.Replicas, s.Running, nil
}

// over are the states in which a task has no container that runs. One that was orphaned
// was on a node that is gone, and is on none that data is read of.
var over = map[swarm.TaskState]bool{
	swarm.TaskStateComplete: true, swarm.TaskStateShutdown: true, swarm.TaskStateFailed: true,
	swarm.TaskStateRejected: true, swarm.TaskStateRemove: true, swarm.TaskStateOrphaned: true,
}

func scaleOf(s swarm.Service) state.ServiceScale {
	out := state.ServiceScale{ID: s.ID, Name: s.Spec.Name, Mode: serviceOf(s).Mode, Scale: s.Spec.Labels[state.ScaleLabel],
		Waits: s.Spec.Labels[state.ScaleWaitsLabel]}
	if m := s.Spec.Mode.Replicated; m != nil && m.Replicas != nil {
		out.Replicas = *m.Replicas
	}
	return out
}
