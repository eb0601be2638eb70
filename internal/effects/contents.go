package effects

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// specsTimeout bounds the listings of a large swarm.
const specsTimeout = time.Minute

// Contents opens the swarm's archive of a backup on a private copy, and tells what the
// swarm was asked for at its time, in the words that a living swarm has, too. Of the
// other archives it reads and proves nothing. Of the secrets that reveal names it gives
// the values, by their names, and of no other.
func Contents(ctx context.Context, repo *repository.Repository, b state.Backup, unlockKey []byte, reveal []string) (list []state.Spec, secrets map[string][]byte, err error) {
	unlockKey, err = keyOf(ctx, repo, b, unlockKey)
	if err == nil {
		err = keyOfItsTime(b, unlockKey)
	}
	if err != nil {
		return nil, nil, err
	}
	report, err := openSwarm(ctx, repo, b, unlockKey, func(dir string) (err error) {
		if len(unlockKey) == 0 {
			unlockKey = nil
		}
		if list, err = raftdir.PlainSpecs(ctx, dir, unlockKey); err == nil && len(reveal) > 0 {
			secrets, err = raftdir.Secrets(ctx, dir, unlockKey, reveal)
		}
		return err
	})
	if err == nil {
		err = sameAsManifest(report, b)
	}
	if err != nil {
		return nil, nil, err
	}
	return list, secrets, nil
}

// LiveSpecs asks the managers one after the other what the swarm is asked for now, and
// tells who answered. Nothing is changed.
func (w *World) LiveSpecs(ctx context.Context) (list []state.Spec, node string, err error) {
	var refusals []error
	for _, name := range w.managers("") {
		err := w.onEngineFor(ctx, name, specsTimeout, func(ctx context.Context, c *engine.Client) (err error) {
			list, err = c.Specs(ctx)
			return err
		})
		if err == nil {
			return list, name, nil
		}
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		refusals = append(refusals, err)
	}
	text := "no manager is declared that can be reached"
	if err := errors.Join(refusals...); err != nil {
		text = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return nil, "", diag.Diagnostic{Severity: diag.Error, Code: diag.NotHealthy, Summary: "No manager tells what the swarm holds now",
		Detail: fmt.Sprintf("Each was asked, and none answered with a leader: %s.", text), Remedy: "requeen status says how the swarm stands; two backups can be compared without it"}
}
