package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/effects"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/status"
)

// leftovers are what recoveries have left on hosts.
type leftovers struct {
	asides  []status.Aside
	holders []status.Holder
}

// leftoversOf are those on the hosts that are meant. With bare, superseded
// directories count as superfluous.
func leftoversOf(s *session, st *state.State, nodes []string, bare bool) leftovers {
	l := leftovers{asides: status.Asides(s.cfg, st), holders: status.Holders(s.cfg, st)}
	for i := range l.asides {
		if bare && l.asides[i].Superseded {
			l.asides[i].Superfluous, l.asides[i].Remedy = true, ""
		}
	}
	other := func(node string) bool { return len(nodes) > 0 && !slices.Contains(nodes, node) }
	l.asides = slices.DeleteFunc(l.asides, func(a status.Aside) bool { return other(a.Node) })
	l.holders = slices.DeleteFunc(l.holders, func(h status.Holder) bool { return other(h.Node) })
	return l
}

func (l leftovers) mayGo() leftovers {
	return leftovers{
		asides:  slices.DeleteFunc(slices.Clone(l.asides), func(a status.Aside) bool { return !a.Superfluous }),
		holders: slices.DeleteFunc(slices.Clone(l.holders), func(h status.Holder) bool { return !h.Superfluous }),
	}
}

func (l leftovers) none() bool { return len(l.asides)+len(l.holders) == 0 }

// words count what is removed.
func (l leftovers) words() string {
	directories, containers := countWords(len(l.asides), "directory", "directories"), countWords(len(l.holders), "container", "containers")
	switch {
	case len(l.holders) == 0:
		return directories
	case len(l.asides) == 0:
		return containers
	}
	return directories + " and " + containers
}

func (l leftovers) write(a *app) error {
	var lines []any
	for _, aside := range l.asides {
		lines = append(lines, struct {
			Type string `json:"type"`
			status.Aside
		}{"set_aside", aside})
	}
	for _, h := range l.holders {
		lines = append(lines, struct {
			Type string `json:"type"`
			status.Holder
		}{"volume_holder", h})
	}
	return writeLines(a.out, lines...)
}

// removeLeftovers takes the lock of the repositories that hold the backups which
// count, or of all of them for a container, which rests on no backup and must not go
// while another recovery begins; looks again, and removes what still may go.
func (s *session) removeLeftovers(ctx context.Context, st *state.State, may leftovers, nodes []string, f cleanupFlags) error {
	world := effects.New(s.effects())
	token := uint64(0)
	for _, h := range st.Hosts {
		token = max(token, h.RunToken)
	}
	for _, r := range s.cfg.Repositories {
		if len(may.holders) == 0 && !holdsAny(st, r.Name, may.asides) {
			continue
		}
		lock, err := world.Lock(ctx, r.Name, "host cleanup", token)
		if err != nil {
			return cleanupLocked(r.Name, err)
		}
		defer lock.Release(context.WithoutCancel(ctx)) //nolint:errcheck // it becomes stale by itself
		token = max(token, lock.Number())
	}
	again, err := s.observeHolders(ctx)
	if err != nil {
		return err
	}
	r := remover{s: s, world: world, token: token, seen: again, still: leftoversOf(s, again, nodes, f.bare).mayGo(), json: f.json}
	for _, aside := range may.asides {
		if err := r.aside(ctx, aside); err != nil {
			return err
		}
	}
	for _, h := range may.holders {
		if err := r.holder(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// remover removes what still may go at the second look.
type remover struct {
	s     *session
	world *effects.World
	token uint64
	seen  *state.State
	still leftovers
	json  bool
}

func (r remover) aside(ctx context.Context, a status.Aside) error {
	if !slices.ContainsFunc(r.still.asides, func(b status.Aside) bool { return a.Node == b.Node && a.Path == b.Path }) {
		fmt.Fprintf(r.s.app.err, "%s: %s changed meanwhile and is kept.\n", a.Node, a.Path)
		return nil
	}
	if err := r.world.RemoveAside(ctx, effects.Aside{Cluster: r.s.cfg.Cluster.Name, Token: r.token, Node: a.Node, Host: *r.seen.Host(a.Node), Path: a.Path, Restore: a.Restore}); err != nil {
		return err
	}
	return r.removed(map[string]any{"type": "removed", "node": a.Node, "path": a.Path, "bytes": a.Bytes}, a.Node+": "+a.Path+" is removed.")
}

func (r remover) holder(ctx context.Context, h status.Holder) error {
	if !slices.ContainsFunc(r.still.holders, func(b status.Holder) bool { return h.Node == b.Node && h.ID == b.ID }) {
		fmt.Fprintf(r.s.app.err, "%s: %s changed meanwhile and is kept.\n", h.Node, h.Name)
		return nil
	}
	kept, err := r.world.ReleaseVolumes(ctx, effects.Holder{Cluster: r.s.cfg.Cluster.Name, Token: r.token, Node: h.Node, Host: *r.seen.Host(h.Node), VolumeHolder: h.VolumeHolder})
	switch {
	case err != nil:
		return err
	case kept != "":
		fmt.Fprintf(r.s.app.err, "%s: %s is kept: %s.\n", h.Node, h.Name, kept)
		return nil
	}
	return r.removed(map[string]any{"type": "removed", "node": h.Node, "container": h.Name, "volumes_left": h.Volumes},
		fmt.Sprintf("%s: the container %s is removed, its volumes stay: %s.", h.Node, h.Name, strings.Join(h.Volumes, ", ")))
}

func (r remover) removed(line map[string]any, text string) error {
	if r.json {
		return writeLines(r.s.app.out, line)
	}
	_, err := fmt.Fprintln(r.s.app.out, text)
	return err
}

// holdsAny tells whether a repository holds a backup on which a removal rests.
func holdsAny(st *state.State, repository string, may []status.Aside) bool {
	for _, r := range st.Repositories {
		if r.Name != repository {
			continue
		}
		for _, b := range r.Backups {
			if slices.ContainsFunc(may, func(a status.Aside) bool { return a.Backup == b.ID }) {
				return true
			}
		}
	}
	return false
}
