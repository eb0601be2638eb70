package effects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/state"
)

// RotateUnlockKey makes the swarm's unlock key anew. What was remembered of the old
// one is forgotten: the backup that follows must be given the new one.
func (w *World) RotateUnlockKey(ctx context.Context, op apply.Operation) error {
	err := w.onEngine(ctx, op.Source, func(ctx context.Context, c *engine.Client) error { return c.RotateUnlockKeyOnce(ctx, op.ID) })
	w.forgetKeys()
	if errors.Is(err, engine.ErrNotAutolocked) {
		return diag.Diagnostic{Severity: diag.Error, Node: op.Source, Summary: "The swarm is not auto-locked",
			Detail: "It was before, and has no unlock key now that could be made anew.",
			Remedy: "On a manager: docker swarm update --autolock=true, and keep the key that it prints. Then run requeen apply again."}
	}
	return err
}

func (w *World) forgetKeys() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.keys)
}

// DeliverUnlockKey brings the key that a live manager tells to its place, and notes
// in the swarm that it is there. What somebody else's command or the file system says
// of it never holds the key.
func (w *World) DeliverUnlockKey(ctx context.Context, op apply.Operation) (string, error) {
	key, err := w.liveKey(ctx, op.Source)
	if err != nil {
		return "", err
	}
	seen := "The new unlock key was taken by the command of recovery.unlock_key_to"
	if op.KeyTo.Command != "" {
		err = w.pipeKey(ctx, op, key)
	} else {
		seen = "The new unlock key is in " + op.KeyTo.File + ", encrypted to the recipients of repository " + op.KeyTo.Repository
		err = w.fileKey(op, key)
	}
	if err != nil {
		return "", err
	}
	return seen, w.onEngine(ctx, op.Source, func(ctx context.Context, c *engine.Client) error {
		return c.UpdateSwarm(ctx, engine.SwarmChange{Labels: map[string]string{state.UnlockKeyLabel: op.ID + state.KeyDelivered}})
	})
}

// fileKey writes the key's file, encrypted.
func (w *World) fileKey(op apply.Operation, key []byte) error {
	sealed, err := w.sealKey(op.KeyTo.Repository, key)
	if err == nil && sealed == nil {
		err = fmt.Errorf("repository %q has no recipients, and the key is written nowhere in clear", op.KeyTo.Repository)
	}
	if err != nil {
		return err
	}
	if err := keepEarlier(op.KeyTo.File, op.ID); err != nil {
		return err
	}
	return writeWhole(op.KeyTo.File, sealed)
}

// liveKey asks a manager for the unlock key.
func (w *World) liveKey(ctx context.Context, manager string) (key []byte, err error) {
	err = w.onEngine(ctx, manager, func(ctx context.Context, c *engine.Client) (err error) {
		key, err = c.UnlockKey(ctx)
		return err
	})
	if err == nil && len(key) == 0 {
		err = fmt.Errorf("%s: the swarm tells no unlock key", manager)
	}
	return key, err
}

// readyForKey tries whether a key could be delivered, before anything is changed:
// once it is made anew it is too late to find that out.
func (w *World) readyForKey(to apply.KeyTo) error {
	if to.File == "" {
		return nil
	}
	if _, err := w.sealKey(to.Repository, []byte("a trial")); err != nil {
		return err
	}
	trial := beside(to.File)
	_ = os.Remove(trial)
	file, err := os.OpenFile(trial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = errors.Join(file.Close(), os.Remove(trial))
	}
	if err != nil {
		return diag.Diagnostic{Severity: diag.Error, Summary: "The new unlock key could not be written",
			Detail: fmt.Sprintf("recovery.unlock_key_to names %s, and beside it nothing can be written: %v.", to.File, err),
			Remedy: "Make its directory, writable for whoever runs requeen; or name another file."}
	}
	return nil
}

// beside is the name under which a file is written until it is whole.
func beside(file string) string {
	return filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+".requeen")
}

// keepEarlier keeps what a key's file held before a recovery: it may be the only
// copy of the key that opens the backups of before.
func keepEarlier(file, recovery string) error {
	held, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	earlier := file + ".before-" + recovery
	if _, there := os.Lstat(earlier); err != nil || there == nil {
		return err
	}
	return writeWhole(earlier, held)
}

// writeWhole writes a file of mode 0600 that is there whole, on the disk, or not at
// all.
func writeWhole(path string, data []byte) error {
	fresh := beside(path)
	_ = os.Remove(fresh)
	file, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Chmod(0o600), file.Sync(), file.Close()); err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// pipeKey gives the key, a line, to the command.
func (w *World) pipeKey(ctx context.Context, op apply.Operation, key []byte) error {
	said, err := w.shell(ctx, op, op.KeyTo.Command, append(bytes.Clone(key), '\n'), nil)
	if err != nil {
		return fmt.Errorf("the command of recovery.unlock_key_to %w%s", err, ended(withoutKey(said, key)))
	}
	return nil
}

// withoutKey takes the key, and its secret part alone, out of what a command wrote.
func withoutKey(said, key []byte) []byte {
	said = bytes.ReplaceAll(said, key, []byte("(unlock key)"))
	if secret, prefixed := bytes.CutPrefix(key, []byte("SWMKEY-1-")); prefixed && len(secret) > 0 {
		said = bytes.ReplaceAll(said, secret, []byte("(unlock key)"))
	}
	return said
}

// Resealed reads the node keys of the managers whose engine is an active manager.
func (w *World) Resealed(ctx context.Context, ops []apply.Operation) (all bool, seen string, err error) {
	if len(ops) == 0 {
		return false, "", errors.New("no host can be looked at")
	}
	key, err := w.liveKey(ctx, ops[0].Source)
	if err != nil {
		return false, "", err
	}
	sealed := 0
	for _, op := range ops {
		is, manages, err := w.sealedWith(ctx, op, key)
		switch {
		case err != nil:
			return false, "", err
		case manages && !is:
			return false, op.Node + "'s node key is still sealed with the old key", nil
		case manages:
			sealed++
		}
	}
	return true, fmt.Sprintf("node keys sealed with the new key: %d", sealed), nil
}

// sealedWith tells whether a host is an active manager, and its node key sealed with
// the unlock key.
func (w *World) sealedWith(ctx context.Context, op apply.Operation, key []byte) (sealed, manages bool, err error) {
	if !w.o.Nodes[op.Node].Manager {
		return false, false, nil
	}
	return w.sealedOn(ctx, op, key)
}

// sealedOn is sealedWith for a host that may be a manager, whatever is declared.
func (w *World) sealedOn(ctx context.Context, op apply.Operation, key []byte) (sealed, manages bool, err error) {
	h, err := w.host(op.Node)
	if err != nil {
		return false, false, err
	}
	nodeKey, err := h.Output(ctx, host.Command{Script: `cat "$1" 2>/dev/null || true`, Args: []string{surgery(op).SwarmDir + "/certificates/swarm-node.key"}, Root: true})
	if err != nil {
		return false, false, err
	}
	asked := w.onEngine(ctx, op.Node, func(ctx context.Context, c *engine.Client) error {
		info, err := c.Info(ctx)
		manages = info.LocalNodeState == "active" && info.ControlAvailable
		return err
	})
	if asked != nil {
		manages = false // its engine does not run, so nobody stops it
	}
	return raftdir.KeySealed([]byte(nodeKey)) && raftdir.KeyOpens([]byte(nodeKey), key) == nil, manages, nil
}
