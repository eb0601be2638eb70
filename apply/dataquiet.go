package apply

import (
	"context"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// tellDisturbed looks, once the data is read, whether its services were down all the
// while: somebody may have scaled one up. What was read is kept, and no more said to be
// of one moment.
func (t *task) tellDisturbed(ctx context.Context, nodes map[string][]plan.DataSource) error {
	var up []string
	for _, name := range t.s.Data.Services {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		down, _, err := t.Data.ServiceQuiesced(call, t.serviceShape(name))
		cancel()
		if err == nil && !down {
			up = append(up, name)
		}
	}
	for _, list := range nodes {
		for _, s := range list {
			stored, read := t.j.progress.data[t.s.ID][s.ID()]
			if !read || stored.Data.Missing || !slices.ContainsFunc(s.Quiesce, func(name string) bool { return slices.Contains(up, name) }) {
				continue
			}
			why := strings.Join(up, ", ") + " had tasks before it was read to its end"
			t.note(t.s, "%s is not of one moment: %s", s.ID(), why)
			stored.Data.Consistency = state.DataLive
			stored.Data.Failure = strings.TrimPrefix(stored.Data.Failure+"; "+why, "; ")
			if err := t.recordData(t.s.ID, stored); err != nil {
				return err
			}
		}
	}
	return nil
}

// serviceUp gives a service its tasks back that a cut try of this step has brought to
// rest: a command that comes before is to run in one of them. What else is wrong with the
// service the command says itself.
func (t *task) serviceUp(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	call, cancel := context.WithTimeout(ctx, callTimeout)
	down, _, err := t.Data.ServiceQuiesced(call, t.serviceShape(name))
	cancel()
	if err != nil || !down {
		return ctx.Err()
	}
	if err := t.insist(ctx, "Giving the service "+name+" its scale back", func(ctx context.Context) error {
		return t.Data.ResumeService(ctx, t.serviceShape(name))
	}); err != nil {
		return err
	}
	return t.eachService(ctx, []string{name}, "has its tasks again", t.Data.ServiceResumed)
}
