package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
)

// LabelRebalanced is on the services that ForceService has updated; its value is
// the mark that it was given. A label of the service's own is no change of its
// tasks, and makes none.
const LabelRebalanced = "io.requeen.rebalanced"

// Service is a service, with how far its newest update has come.
type Service struct {
	ID, Name string
	Mode     string // replicated, global, replicated-job, global-job
	Mark     string // of the last ForceService, empty when there was none
	Replicas uint64 // wanted; of a global service those that its nodes make
	Running  uint64 // those that run
	// Current are those that run of the newest task spec.
	Current uint64
	// Update is the engine's word for the newest update: updating, completed,
	// paused, rollback_started, rollback_paused, rollback_completed; empty where
	// nothing had to be updated, and for a moment after it was asked for.
	Update  string
	Message string // the engine's, of that update
}

// Job tells whether the service's tasks are to end.
func (s Service) Job() bool { return s.Mode == "replicated-job" || s.Mode == "global-job" }

// Service gives the service of this name; ErrNoSuchService says that there is none.
func (c *Client) Service(ctx context.Context, name string) (Service, error) {
	const what = "look at service"
	found, err := c.service(ctx, what, name)
	if err != nil {
		return Service{}, err
	}
	s := serviceOf(found)
	tasks, err := call(ctx, c, what, func(ctx context.Context) ([]swarm.Task, error) {
		return c.api.TaskList(ctx, swarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("service", found.ID), filters.Arg("desired-state", "running"))})
	})
	if err != nil {
		return Service{}, err
	}
	for _, t := range tasks {
		if t.Status.State == swarm.TaskStateRunning && t.Spec.ForceUpdate == found.Spec.TaskTemplate.ForceUpdate {
			s.Current++
		}
	}
	return s, nil
}

// service reads one service. An engine's filter takes the beginning of a name for
// the name: another service that fits by accident must not be updated.
func (c *Client) service(ctx context.Context, what, name string) (swarm.Service, error) {
	list, err := call(ctx, c, what, func(ctx context.Context) ([]swarm.Service, error) {
		return c.api.ServiceList(ctx, swarm.ServiceListOptions{Filters: filters.NewArgs(filters.Arg("name", name)), Status: true})
	})
	if err != nil {
		return swarm.Service{}, err
	}
	for _, s := range list {
		if s.Spec.Name == name {
			return s, nil
		}
	}
	return swarm.Service{}, &Error{Call: what, Kind: ErrNoSuchService, Cause: fmt.Errorf("none is called %q", name)}
}

func serviceOf(s swarm.Service) Service {
	out := Service{ID: s.ID, Name: s.Spec.Name, Mark: s.Spec.Labels[LabelRebalanced]}
	switch m := s.Spec.Mode; {
	case m.Replicated != nil:
		out.Mode = "replicated"
	case m.Global != nil:
		out.Mode = "global"
	case m.ReplicatedJob != nil:
		out.Mode = "replicated-job"
	case m.GlobalJob != nil:
		out.Mode = "global-job"
	}
	if n := s.ServiceStatus; n != nil {
		out.Replicas, out.Running = n.DesiredTasks, n.RunningTasks
	}
	if u := s.UpdateStatus; u != nil {
		out.Update, out.Message = string(u.State), oneLine(u.Message)
	}
	return out
}

// ForceService lets every task of the service be started anew, as its update
// configuration says, with nothing else of its spec changed; at most once for a
// mark: the update that does it also labels the service with it. A job is refused:
// it would run once more.
func (c *Client) ForceService(ctx context.Context, name, mark string) error {
	const what = "update service with force"
	return twice(func() error {
		found, err := c.service(ctx, what, name)
		if err != nil {
			return err
		}
		if serviceOf(found).Job() {
			return &Error{Call: what, Cause: fmt.Errorf("%s is a job, which would run once more", name)}
		}
		if mark == "" {
			return &Error{Call: what, Cause: errors.New("no mark was given, by which a second call could be told from the first")}
		}
		spec := found.Spec
		if spec.Labels[LabelRebalanced] == mark {
			return nil
		}
		if spec.Labels == nil {
			spec.Labels = make(map[string]string)
		}
		spec.Labels[LabelRebalanced] = mark
		spec.TaskTemplate.ForceUpdate++
		return c.do(ctx, what, func(ctx context.Context) error {
			_, err := c.api.ServiceUpdate(ctx, found.ID, found.Version, spec, swarm.ServiceUpdateOptions{})
			return err
		})
	})
}
