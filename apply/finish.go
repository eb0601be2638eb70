package apply

import (
	"context"
	"fmt"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// rotateUnlockKey makes the key anew and delivers it at once: until then nobody
// but the live managers knows it. A run that is cut in between asks them again.
func rotateUnlockKey(ctx context.Context, t *task) error {
	op := t.joinOperation()
	if err := t.acts(ctx, "Making the unlock key anew", func(ctx context.Context) error { return t.Recoverer.RotateUnlockKey(ctx, op) }); err != nil {
		return err
	}
	call, cancel := t.within(ctx)
	defer cancel()
	seen, err := t.Recoverer.DeliverUnlockKey(call, op)
	switch {
	case err == nil:
		t.note(t.s, "%s", seen)
		return nil
	case ctx.Err() != nil:
		return err
	}
	return notDelivered(t.s, err)
}

func notDelivered(s plan.Step, err error) error {
	row, _ := diag.Lookup(diag.KeyNotDelivered)
	return stepError(s, diag.KeyNotDelivered, row.Title, sentence(strings.TrimSuffix(err.Error(), "."))+". "+row.Meaning, row.Remedy, err)
}

// waitResealed waits until no manager would come back under the old key: the
// fresh backup stops one, and its host unlocks it with the new key.
func waitResealed(ctx context.Context, t *task) (string, error) {
	source, seen := t.joinOperation().Source, ""
	var ops []Operation
	for _, h := range t.seen.Hosts {
		if h.Looked == state.Present {
			op := t.operation(h.Name)
			op.Source = source
			ops = append(ops, op)
		}
	}
	err := t.poll(ctx, "every manager has sealed its key with the new one", func(ctx context.Context) (bool, error) {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		all, text, err := t.Recoverer.Resealed(call, ops)
		seen = text
		return all, err
	})
	return seen, err
}

// runCheck runs a command of the plan. Where it fails the swarm stays as it is.
func runCheck(ctx context.Context, t *task) error {
	call, cancel := t.within(ctx)
	defer cancel()
	err := t.Recoverer.RunCheck(call, t.operation(t.s.Node), func(line string) { t.note(t.s, "%s", line) })
	if err == nil || ctx.Err() != nil {
		return err
	}
	row, _ := diag.Lookup(diag.CheckFailed)
	return stepError(t.s, diag.CheckFailed, row.Title, fmt.Sprintf("%q: %s. %s", t.s.Command, strings.TrimSuffix(err.Error(), "."), row.Meaning), row.Remedy, err)
}

// otherCommands tells of a run that would go on with a check that has failed, under
// a configuration that was changed since: where the command itself was mended, the
// plan's would fail for ever.
func (r *runner) otherCommands() []plan.Change {
	if r.req.ConfigSHA256 == "" || r.req.ConfigSHA256 == r.p.ConfigSHA256 {
		return nil
	}
	for _, s := range r.p.Steps {
		if r.j.progress.done(s.ID) {
			continue
		}
		if s.Kind == plan.Check && r.j.progress.intended(s.ID) {
			return []plan.Change{change(plan.ConfigurationChanged, "", "The configuration was changed since the command %q was begun", s.Command)}
		}
		break
	}
	return nil
}
