package effects

import (
	"context"
	"errors"
	"fmt"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/repository"
)

// unlockKey gives the swarm's unlock key before a stop: remembered, from a live
// manager, or from the configuration.
func (w *World) unlockKey(ctx context.Context, run apply.Run) ([]byte, error) {
	if key := w.remembered(run.SwarmID); len(key) > 0 {
		return key, nil
	}
	candidates, asked := w.keyCandidates(ctx, run.Node)
	if len(candidates) == 0 {
		return nil, noUnlockKey(run.Node, asked)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys[run.SwarmID] = candidates[0]
	return candidates[0], nil
}

func (w *World) remembered(swarmID string) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.keys[swarmID]
}

// laterKeys are the keys that may open what a run stopped or copied, the
// likeliest first: the key may have been rotated since. The last is the one of
// the time of the stop, which the host keeps encrypted, where an identity of the
// repository is at hand.
func (w *World) laterKeys(ctx context.Context, run apply.Run) ([][]byte, error) {
	keys, asked := w.keyCandidates(ctx, run.Node)
	if key := w.remembered(run.SwarmID); len(key) > 0 {
		keys = append([][]byte{key}, keys...)
	}
	identity := w.o.Repositories[run.Repository].IdentityFile
	if identity == "" || run.ID == "" {
		return keys, asked
	}
	h, err := w.host(run.Node)
	if err != nil {
		return keys, errors.Join(asked, err)
	}
	sealed, err := h.SealedKey(ctx, run.ID)
	if err != nil || len(sealed) == 0 {
		return keys, errors.Join(asked, err)
	}
	key, err := repository.DecryptSmall(identity, sealed)
	if err != nil {
		return keys, errors.Join(asked, err)
	}
	return append(keys, key), asked
}

// keyCandidates are the keys that may fit, the likeliest first, and what the
// managers said that gave none.
func (w *World) keyCandidates(ctx context.Context, node string) ([][]byte, error) {
	var keys [][]byte
	var refusals []error
	for _, name := range w.managers(node) {
		var key []byte
		err := w.onEngine(ctx, name, func(ctx context.Context, c *engine.Client) (err error) {
			key, err = c.UnlockKey(ctx)
			return err
		})
		if err == nil && len(key) > 0 {
			keys = append(keys, key)
			break
		}
		if err != nil {
			refusals = append(refusals, err)
		}
	}
	if key, ok := w.o.ConfiguredKey(); ok {
		keys = append(keys, []byte(key))
	}
	return keys, errors.Join(refusals...)
}

func noUnlockKey(node string, asked error) error {
	code, _ := diag.Lookup(diag.NoUnlockKey)
	detail := "The swarm is auto-locked: without the key a manager that is stopped stays locked, and its copy closed. No live manager told it"
	if asked != nil {
		detail += fmt.Sprintf(" (%v)", asked)
	}
	return diag.Diagnostic{Severity: diag.Error, Code: diag.NoUnlockKey, Summary: code.Title, Detail: detail + ".", Remedy: code.Remedy, Node: node}
}
