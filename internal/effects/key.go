package effects

import (
	"context"
	"errors"
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/engine"
)

// unlockKey gives the swarm's unlock key: remembered, from a live manager, or
// from the configuration.
func (w *World) unlockKey(ctx context.Context, swarmID, node string) ([]byte, error) {
	w.mu.Lock()
	key := w.keys[swarmID]
	w.mu.Unlock()
	if len(key) > 0 {
		return key, nil
	}
	candidates, asked := w.keyCandidates(ctx, node)
	if len(candidates) == 0 {
		return nil, noUnlockKey(node, asked)
	}
	w.mu.Lock()
	w.keys[swarmID] = candidates[0]
	w.mu.Unlock()
	return candidates[0], nil
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
	detail := "The swarm is auto-locked: a manager that was stopped stays locked without the key, so nothing was stopped. No live manager told it"
	if asked != nil {
		detail += fmt.Sprintf(" (%v)", asked)
	}
	return diag.Diagnostic{Severity: diag.Error, Code: diag.NoUnlockKey, Summary: code.Title, Detail: detail + ".", Remedy: code.Remedy, Node: node}
}
