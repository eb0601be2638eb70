package plan

import (
	"fmt"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// maxSkew is how far clocks may differ (safety rule 25).
const maxSkew = 5 * time.Minute

// need is a backup block with what its repository holds for it.
type need struct {
	block  schema.Backup
	repo   *state.Repository // nil when it was not looked at
	newest *state.Backup     // the newest that counts
	// Of a block with copies: those that can be used, repo first, and those that
	// can't; which of them has the newest, what repo has itself, who lacks it.
	places   []*state.Repository
	unlooked []string
	holder   *state.Repository
	here     *state.Backup
	missing  []*state.Repository
	due      bool
	asked    bool
	lacks    bool   // the newest that counts is without data that is declared
	reason   string // why it is due, or why it is not
	met      bool   // a step of the plan meets it
	unmet    bool   // said to be unmet already
	// adopted is the cut run whose copy meets it, adoptedAt when that was made.
	adopted   string
	adoptedAt time.Time
}

func (n *need) goal() string {
	return fmt.Sprintf("backup %q: a verified backup younger than %s in %s", n.block.Name, span(n.block.MaxAge), n.where())
}

// measure is what a backup must be to count.
type measure struct {
	cluster, block, swarmID string
	epoch                   string
	epochKnown              bool
	restoring               []string  // IDs that a saved plan or a cut run restores
	madeAt                  time.Time // when what the plan makes is stored, or was where it is a copy
	now                     time.Time
}

func (w *world) measure(block string, now time.Time) measure {
	m := measure{cluster: w.cfg.Cluster.Name, block: block, swarmID: w.id.id, madeAt: now, now: now}
	if w.st.Swarm != nil {
		m.epoch, m.epochKnown = w.st.Swarm.Epoch, true
	} else if best := w.furthest(); best != nil && opened(best.host.SwarmDir.Raft) {
		m.epoch, m.epochKnown = best.host.SwarmDir.Raft.Epoch, true
	}
	return m
}

// fault is why a backup does not count, "" if it does. concerns is false for
// one that is another block's, kind's or cluster's business.
func (m measure) fault(b *state.Backup) (fault string, concerns bool) {
	switch {
	case b.Backup != m.block || b.Cluster != m.cluster || b.Kind != state.KindRegular:
		return "it is not this block's", false
	case m.swarmID != "" && b.SwarmID != m.swarmID:
		return "it is of another swarm", true
	case m.epochKnown && b.Epoch != m.epoch:
		return "it is of another epoch", true
	case unsigned(b):
		return told(b.Problem.Text), true
	case b.Problem != nil:
		return "it is damaged", true
	case b.Verified == "":
		return "it was not verified", true
	case len(b.Suspect) > 0:
		return "it is suspect", true
	case b.TakenAt.After(m.now.Add(maxSkew)):
		return "it is dated in the future", true
	}
	return "", true
}

// newest finds the newest backup that counts, and the newest that does not
// with the reason.
func (m measure) newest(list []state.Backup) (best, out *state.Backup, why string) {
	for i := range list {
		b := &list[i]
		fault, concerns := m.fault(b)
		switch {
		case !concerns:
		case fault == "" && (best == nil || b.TakenAt.After(best.TakenAt)):
			best = b
		case fault != "" && (out == nil || b.TakenAt.After(out.TakenAt)):
			out, why = b, fault
		}
	}
	return best, out, why
}

// needs judges every backup block by the age of what its repository holds.
func (w *world) needs(now time.Time, asked bool) []*need {
	var list []*need
	for _, block := range sortedBackups(w.cfg) {
		n := &need{block: block, asked: asked}
		list = append(list, n)
		if w.place(n); n.repo != nil {
			w.judge(n, now)
		}
	}
	return list
}

func (w *world) judge(n *need, now time.Time) {
	m := w.measure(n.block.Name, now)
	out, at, why := n.newestOf(m)
	best := n.newest
	switch {
	case best == nil && out != nil:
		n.due = true
		n.reason = fmt.Sprintf("no backup in repository %s counts; the newest, %s, does not because %s", at, out.ID, why)
	case best == nil:
		n.due = true
		n.reason = fmt.Sprintf("no verified backup of this cluster is in repository %s", listing(placeNames(n.places)))
	default:
		age := max(now.Sub(best.TakenAt), 0)
		n.due = age >= n.block.MaxAge
		n.reason = fmt.Sprintf("newest verified backup is %s old (%s); max_age is %s", span(age), stamp(best.TakenAt), span(n.block.MaxAge))
		if list := lacking(n.block, best); len(list) > 0 {
			n.due, n.lacks = true, true
			n.reason = fmt.Sprintf("newest verified backup, %s (%s), does not hold %s, which is declared", best.ID, stamp(best.TakenAt), listing(list))
		}
		if out != nil && out.TakenAt.After(best.TakenAt) {
			n.reason += fmt.Sprintf("; %s is newer, but %s", out.ID, why)
		}
		if n.missing = n.lacking(m); len(n.missing) > 0 && !n.due {
			n.reason += fmt.Sprintf("; it is in %s, and not in %s", n.holder.Name, listing(placeNames(n.missing)))
		}
	}
	if n.asked {
		n.due = true
		n.reason = "asked for, whatever the age; " + n.reason
	}
}

// unusableRepository is the unmet goal of a block whose repository could not be
// looked at.
func (w *world) unusableRepository(n *need) Unmet {
	reason, fix := "It was not looked at", ""
	if r := w.st.Repository(n.block.Repository); r != nil && r.Problem != nil {
		reason, fix = r.Problem.Text, r.Problem.Remedy
	}
	return Unmet{Code: diag.RepositoryUnusable, Goal: n.goal(),
		Reason: fmt.Sprintf("Repository %s can't be used, so whether a backup is due can't be said: %s", n.block.Repository, sentence(reason)),
		Remedy: or(fix, remedy(diag.RepositoryUnusable))}
}
