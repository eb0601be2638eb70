package effects

import (
	"context"
	"errors"
	"fmt"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// unlockKey gives the swarm's unlock key before a stop: remembered, from a live
// manager, or from the configuration; and proved to open this manager's own key,
// since a key that does not would leave it locked.
func (w *World) unlockKey(ctx context.Context, run apply.Run) ([]byte, error) {
	if key := w.remembered(run.SwarmID); len(key) > 0 {
		return key, nil
	}
	candidates, asked := w.keyCandidates(ctx, run.Node)
	if len(candidates) == 0 {
		return nil, noUnlockKey(run.Node, asked)
	}
	key, err := w.opensManager(ctx, run, candidates)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys[run.SwarmID] = key
	return key, nil
}

// opensManager gives the first key that opens the manager's node key as it lies
// on its disk.
func (w *World) opensManager(ctx context.Context, run apply.Run, keys [][]byte) ([]byte, error) {
	h, err := w.host(run.Node)
	if err != nil {
		return nil, err
	}
	nodeKey, err := h.Output(ctx, host.Command{Script: `cat "$1"`, Args: []string{run.Host.SwarmDir.Path + "/certificates/swarm-node.key"}, Root: true})
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if raftdir.KeyOpens([]byte(nodeKey), key) == nil {
			return key, nil
		}
	}
	code, _ := diag.Lookup(diag.NoUnlockKey)
	return nil, diag.Diagnostic{Severity: diag.Error, Code: diag.NoUnlockKey, Node: run.Node,
		Summary: "The unlock key does not open " + run.Node,
		Detail:  "The key that is at hand is not the one that this manager's key is sealed with: the manager would stay locked after its start. Nothing was stopped.",
		Remedy:  "If the key was rotated just now, wait a minute and run requeen apply again. " + code.Remedy}
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

// keyOfBackup refuses a configured unlock key that is not the backup's, before
// anything is fetched.
func (w *World) keyOfBackup(b state.Backup) error {
	if !b.Autolocked {
		return nil
	}
	key, _ := w.o.ConfiguredKey()
	if keyOfItsTime(b, []byte(key)) == nil {
		return nil
	}
	d := otherKey(b, []byte(key))
	d.Code = diag.NoUnlockKey
	return d
}

// wrongKeyError is the diagnostic for a key that is not the backup's.
type wrongKeyError struct{ diag.Diagnostic }

// Unwrap gives the diagnostic and its class.
func (e wrongKeyError) Unwrap() []error { return []error{e.Diagnostic, raftdir.ErrWrongUnlockKey} }

// keyOfItsTime tells whether the unlock key is the one of the backup's time.
func keyOfItsTime(b state.Backup, unlockKey []byte) error {
	if !b.Autolocked || raftdir.Fingerprint(unlockKey) == b.KeySHA256 {
		return nil
	}
	return wrongKeyError{otherKey(b, unlockKey)}
}

// otherKey says that a key is not the one that a backup is sealed with.
func otherKey(b state.Backup, key []byte) diag.Diagnostic {
	have := "the configured one has " + raftdir.Fingerprint(key)
	if len(key) == 0 {
		have = "none is configured here"
	}
	return diag.Diagnostic{Severity: diag.Error, Summary: "cluster.unlock_key is not this backup's unlock key",
		Detail: fmt.Sprintf("The backup needs the key with fingerprint %s, valid when it was taken; %s.", b.KeySHA256, have),
		Remedy: "set cluster.unlock_key to the key of that time"}
}

func noUnlockKey(node string, asked error) error {
	code, _ := diag.Lookup(diag.NoUnlockKey)
	detail := "The swarm is auto-locked: without the key a manager that is stopped stays locked, and its copy closed. No live manager told it"
	if asked != nil {
		detail += fmt.Sprintf(" (%v)", asked)
	}
	return diag.Diagnostic{Severity: diag.Error, Code: diag.NoUnlockKey, Summary: code.Title, Detail: detail + ".", Remedy: code.Remedy, Node: node}
}
