package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/requeen/requeen/internal/effects"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// mostOpened is how many backups a plan opens at most, each after the one before
// turned out to be damaged.
const mostOpened = 4

// backupAt names a backup in a repository.
type backupAt struct{ repository, id string }

// openedInto puts what this session has opened already into a new observation.
func (s *session) openedInto(st *state.State) {
	for at, o := range s.openings {
		if b := backupIn(st, at); b != nil {
			b.Opening = o
		}
	}
}

func backupIn(st *state.State, at backupAt) *state.Backup {
	r := st.Repository(at.repository)
	if r == nil {
		return nil
	}
	for i := range r.Backups {
		if r.Backups[i].ID == at.id {
			return &r.Backups[i]
		}
	}
	return nil
}

// opens opens the backup that a plan restores, where that was not tried yet and
// identity and key are at hand, and tells whether st has changed by that.
func (s *session) opens(ctx context.Context, p *plan.Plan, st *state.State, quiet bool) bool {
	if p.Recovery == nil || p.Recovery.Rung != plan.RungRestore || len(s.openings) >= mostOpened {
		return false
	}
	at := backupAt{p.Recovery.Repository, p.Recovery.Backup}
	b, cfg := backupIn(st, at), s.cfg.Repository(at.repository)
	if b == nil || b.Opening != nil || cfg == nil || !s.atHand(*cfg, b) {
		return false
	}
	if !quiet {
		fmt.Fprintf(s.app.err, "Opening backup %s of repository %s …\n", at.id, at.repository)
	}
	o, specs := s.openBackup(ctx, *cfg, *b)
	if ctx.Err() != nil {
		return false
	}
	if s.openings == nil {
		s.openings = map[backupAt]*state.Opening{}
	}
	if s.specs == nil {
		s.specs = map[backupAt][]state.Spec{}
	}
	if specs != nil {
		s.specs[at] = specs
	}
	s.openings[at], b.Opening = o, o
	return true
}

// atHand tells whether a backup can be opened here: identity file and, for an
// auto-locked swarm's, unlock key, where that does not lie beside it.
func (s *session) atHand(r schema.Repository, b *state.Backup) bool {
	if b.Autolocked && !s.cfg.Cluster.UnlockKey.Known() && !b.KeyEscrowed() {
		return false
	}
	if b.PlainStored {
		return true
	}
	if r.Identity == "" {
		return false
	}
	_, err := os.Stat(r.Identity)
	return !errors.Is(err, fs.ErrNotExist)
}

func (s *session) openBackup(ctx context.Context, r schema.Repository, b state.Backup) (*state.Opening, []state.Spec) {
	repo, err := repository.Open(ctx, repositoryOptions(s.cfg, r))
	if err != nil {
		return &state.Opening{Problem: &state.Problem{Text: err.Error()}}, nil
	}
	defer repo.Close()
	var key []byte
	if b.Autolocked {
		key = []byte(s.cfg.Cluster.UnlockKey.Reveal())
	}
	return effects.OpenContents(ctx, repo, b, key)
}
