package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// Guard is what a host must be like while its engine's API is told to change
// something (safety rules 17, 20).
type Guard struct {
	Cluster   string // the cluster block's label
	Token     uint64 // the run token
	MachineID string
	// Recovery must not hold the host's engine; empty: whoever does.
	Recovery string
	// CertificateSHA256 is of swarm-node.crt's bytes in SwarmDir, in hex; empty where
	// it does not matter.
	CertificateSHA256, SwarmDir string
}

func (g Guard) validate() error {
	err := errors.Join(checkName("cluster", g.Cluster), checkToken(g.Token))
	if g.Recovery != "" {
		err = errors.Join(err, checkName("recovery ID", g.Recovery))
	}
	switch {
	case err != nil:
		return err
	case g.MachineID == "":
		return errors.New("host: an effect without a machine ID can't be guarded")
	case strings.ContainsAny(g.MachineID+g.CertificateSHA256, "\n\r\x00"):
		return fmt.Errorf("host: machine ID %q or certificate digest %q has a line break", g.MachineID, g.CertificateSHA256)
	case g.CertificateSHA256 != "":
		return checkSwarmDir(g.SwarmDir)
	}
	return nil
}

// Guarded calls f while a command on the host, which has checked the guard, holds
// the host's lock: no other command of requeen changes anything there meanwhile, and
// none with a higher run token has been there. Where the guard refuses, f is not
// called, and the error is of type *Error: ErrGuard, ErrToken, ErrHeld,
// ErrIncomplete, or ErrRunInFlight also where the lock was lost before f ended, a
// minute and a half later. The context of f ends with the lock.
func (h *Host) Guarded(ctx context.Context, g Guard, f func(context.Context) error) error {
	if err := g.validate(); err != nil {
		return err
	}
	inside, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	hold, release := io.Pipe()
	defer release.Close()
	said := &word{is: "requeen-guarded", heard: make(chan struct{})}
	ended := make(chan error, 1)
	go func() {
		err := h.refused(h.Run(ctx, Command{
			Script: guardScript + surgeryScript + guardedScript,
			Args: []string{h.pool.stateDir(), g.Cluster, strconv.FormatUint(g.Token, 10), g.MachineID,
				g.Recovery, g.CertificateSHA256, g.SwarmDir},
			Stdin: hold, Stdout: said, Root: true,
		}))
		ended <- err
		lost(err)
	}()
	select {
	case <-said.heard:
	case err := <-ended:
		if err == nil {
			err = fmt.Errorf("%s: the guard ended without a word", h.target.Name)
		}
		return err
	}
	err := f(inside)
	_ = release.Close()
	return errors.Join(err, <-ended)
}

// word closes heard when a line that was written is the word: a login shell's rc
// files may print before.
type word struct {
	is    string
	heard chan struct{}

	once sync.Once
	text []byte
}

// Write never fails.
func (w *word) Write(p []byte) (int, error) {
	w.text = append(w.text, p...)
	for {
		line, rest, whole := bytes.Cut(w.text, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		if string(line) == w.is {
			w.once.Do(func() { close(w.heard) })
		}
		w.text = rest
	}
}
