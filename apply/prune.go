package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// pruneKind removes backups that no rule keeps. What is there is judged again right
// before, so that nothing goes which is needed since; each of them is asked for, also
// one that is gone, since a try that was cut may have left a part of it.
var pruneKind = kind{
	guard: guardPrune,
	act:   prune,
	wait: func(_ context.Context, t *task) (string, error) {
		return fmt.Sprintf("%d of %d were there and are removed; %s stays", t.removed, len(t.s.Prune.Remove), t.pruning.Newest), nil
	},
}

// guardPrune refuses where the swarm is another, or the backup that every other may go
// for is not there.
func guardPrune(ctx context.Context, t *task) error {
	return t.guarded(ctx, func() []plan.Change {
		r := t.seen.Repository(t.s.Repository)
		if r == nil || r.Looked != state.Present {
			return []plan.Change{change(plan.RepositoryGone, "", "Repository %s can't be looked at any more", t.s.Repository)}
		}
		now, err := plan.PruneNow(t.p, t.s, t.seen)
		switch {
		case err != nil:
			return []plan.Change{change(plan.BackupNeeded, "", "What is to be removed can't be judged again: %v", err)}
		case now.Newest == "":
			return []plan.Change{change(plan.BackupNeeded, "", "Repository %s holds no verified backup of %s any more", t.s.Repository, t.s.Backup)}
		case now.Last:
			return []plan.Change{change(plan.BackupNeeded, "", "The backup %s is the newest verified one of %s now", now.Newest, t.s.Backup)}
		}
		t.pruning = now
		return nil
	})
}

// prune removes one backup after the other, and then what cut uploads left.
func prune(ctx context.Context, t *task) error {
	stays := map[string]bool{}
	for _, j := range t.pruning.Stay {
		stays[j.ID] = true
		t.note(t.s, "the backup %s stays after all (%s)", j.ID, j.Reason)
	}
	for i, j := range t.s.Prune.Remove {
		if stays[j.ID] {
			continue
		}
		t.heedInterrupt()
		if err := t.stillHolds(ctx); err != nil {
			return err
		}
		t.emit(Event{Type: StepProgress, Text: fmt.Sprintf("removes %s, %d of %d", j.ID, i+1, len(t.s.Prune.Remove))})
		if err := t.removeBackup(ctx, j.ID); err != nil {
			return err
		}
	}
	if err := t.stillHolds(ctx); err != nil {
		return err
	}
	call, cancel := t.within(ctx)
	defer cancel()
	if err := t.Archive.Sweep(call, t.s.Repository); err != nil && ctx.Err() == nil {
		t.note(t.s, "what cut uploads left could not be swept, which the next backup does: %v", err)
	}
	return ctx.Err()
}

func (t *task) removeBackup(ctx context.Context, id string) error {
	call, cancel := t.within(ctx)
	defer cancel()
	removed, err := t.Archive.Remove(call, Removal{Repository: t.s.Repository, ID: id, Backup: t.s.Backup, SwarmID: t.p.SwarmID, Keeps: t.pruning.Newest})
	if removed {
		t.removed++
		t.result.Removed = append(t.result.Removed, id)
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	done := fmt.Sprintf("This try has removed %d of %d; the others stay as they are.", t.removed, len(t.s.Prune.Remove))
	var gone *NotKeptError
	if errors.As(err, &gone) {
		row, _ := diag.Lookup(diag.RepositoryEmptied)
		return stepError(t.s, diag.RepositoryEmptied, "Repository "+t.s.Repository+" does not hold the backup "+gone.ID+" any more, which was to stay",
			ended(sentence(gone.Reason))+" It was there when the step began, so something else removes or changes what is kept there. "+done, row.Remedy, err)
	}
	d, _ := diagnosticOf(err)
	detail := ended(d.Summary) + " " + ended(d.Detail)
	if d.Summary == "" {
		detail = ended(err.Error())
	}
	return stepError(t.s, codeOf(err, diag.RepositoryUnusable), "The backup "+id+" could not be removed from "+t.s.Repository,
		detail+" "+done, "Mend what the message names, then run requeen apply again: it goes on from here.", err)
}
