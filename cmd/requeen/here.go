package main

import (
	"bytes"
	"errors"
	"os"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// here is what is at hand on this machine. A session that reaches no host, since it
// plans from a file, is made where no secret needs to be, and says nothing of it.
func (s *session) here(st *state.State) plan.Here {
	if s.pool == nil {
		return plan.Here{}
	}
	h := plan.Here{Known: true, CannotSign: map[string]string{}, IdentityOn: map[string]string{}}
	node := nodeHere(s.cfg, st)
	for _, r := range s.cfg.Repositories {
		if why := cannotSign(s.cfg, r); why != "" {
			h.CannotSign[r.Name] = why
		}
		if _, err := os.Stat(r.Identity); node != "" && r.Identity != "" && err == nil {
			h.IdentityOn[r.Name] = node
		}
	}
	if key := s.cfg.Cluster.UnlockKey; key.Known() {
		h.UnlockKey = raftdir.Fingerprint([]byte(key.Reveal()))
	}
	return h
}

// cannotSign says why the private key of a repository does not serve here.
func cannotSign(cfg *schema.Config, r schema.Repository) string {
	err := repository.CanSign(repositoryOptions(cfg, r))
	var told *repository.Error
	switch {
	case err == nil:
		return ""
	case r.SignKey.Set() && !r.SignKey.Known():
		return "its sign_key is set, but to a value that is not known here"
	case !errors.As(err, &told):
		return err.Error()
	case told.Cause != nil:
		return told.What + ": " + told.Cause.Error()
	}
	return told.What
}

// signKey is where a repository's private key is.
func signKey(r schema.Repository) repository.SignKey {
	k := repository.SignKey{File: r.SignKeyFile}
	if r.SignKey.Known() {
		k.Text = r.SignKey.Reveal
	}
	return k
}

// nodeHere is the declared node that is this machine, "" where none is.
func nodeHere(cfg *schema.Config, st *state.State) string {
	id, err := os.ReadFile("/etc/machine-id")
	machine := string(bytes.TrimSpace(id))
	for _, n := range cfg.Nodes {
		h := st.Host(n.Name)
		if n.Connection.Local || err == nil && machine != "" && h != nil && h.MachineID == machine {
			return n.Name
		}
	}
	return ""
}

// escrow tells beside which backups the unlock key is stored: safety copies are
// treated as the backups are, where any block asks for it.
func escrow(cfg *schema.Config) map[string]bool {
	of := map[string]bool{}
	for _, b := range cfg.Backups {
		of[b.Name] = b.KeyEscrow
		of[""] = of[""] || b.KeyEscrow
	}
	return of
}
