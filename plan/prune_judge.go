package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/requeen/requeen/internal/retention"
	"github.com/requeen/requeen/internal/state"
)

// judge says of a block's backups which stay; made are those that the plan makes.
// Another block's, another swarm's and a recovery's safety copies are in no list.
func (m measure) judge(rules KeepRules, list []state.Backup, made ...retention.Item) ([]retention.Verdict, error) {
	items, stored := slices.Clone(made), map[string]time.Time{}
	for _, it := range made {
		stored[it.ID] = m.madeAt
	}
	for i := range list {
		b := &list[i]
		fault, concerns := m.fault(b)
		if !concerns || m.swarmID == "" || b.SwarmID != m.swarmID {
			continue
		}
		items = append(items, retention.Item{ID: b.ID, At: b.TakenAt, Fault: fault})
		stored[b.ID] = storedAt(b)
	}
	inUse(items, stored, m.now)
	for i := range items {
		if contains(m.restoring, items[i].ID) {
			items[i].InUse = "a plan that was saved, or a run that was cut, restores it"
		}
	}
	return retention.Judge(rules.rules(), items)
}

// storedAt is since when a backup can be restored; a copy tells when its original could.
func storedAt(b *state.Backup) time.Time {
	if b.UploadedAt.After(b.TakenAt) {
		return b.UploadedAt
	}
	return b.TakenAt
}

// inUse marks what a plan may restore that was made before and may still be begun:
// the backup was the newest at some time since, or is younger than that. A younger one
// took its place when it was stored, which after a cut run is long after it was taken.
func inUse(items []retention.Item, stored map[string]time.Time, now time.Time) {
	since := now.Add(-expiry)
	next := map[string]time.Time{} // when the next younger one that counts was stored
	slices.SortStableFunc(items, func(a, b retention.Item) int { return b.At.Compare(a.At) })
	last := time.Time{}
	for _, it := range items {
		if it.Fault == "" {
			next[it.ID], last = last, stored[it.ID]
		}
	}
	for i := range items {
		if it := &items[i]; it.At.After(since) || next[it.ID].After(since) {
			it.InUse = "a plan of the last hour may restore it" // expiry
		}
	}
}

// Pruning is what a prune step may remove, by what its repository holds now.
type Pruning struct {
	// Newest is the ID of the newest verified backup: nothing may go without it. It
	// is empty where there is none.
	Newest string
	// Stay are those of the step's list that are to be kept now, with the reason.
	Stay []Judged
	// Last tells that the newest verified backup is itself on the list.
	Last bool
}

// PruneNow judges what a prune step removes again, by what is there now. An error says
// that the step's rules mean nothing.
func PruneNow(p *Plan, s Step, st *state.State) (Pruning, error) {
	var now Pruning
	r := st.Repository(s.Repository)
	if r == nil || s.Prune == nil {
		return now, nil
	}
	m := measure{cluster: p.Cluster, block: s.Backup, swarmID: p.SwarmID, epoch: p.Epoch, epochKnown: len(p.Fingerprint.Managers) > 0, now: st.ObservedAt}
	verdicts, err := m.judge(s.Prune.Rules, r.Backups)
	if err != nil {
		return now, fmt.Errorf("step %d: %w", s.ID, err)
	}
	listed := map[string]bool{}
	for _, j := range s.Prune.Remove {
		listed[j.ID] = true
	}
	for _, v := range verdicts {
		newest := v.Counts && now.Newest == ""
		if newest {
			now.Newest, now.Last = v.ID, listed[v.ID]
		}
		if listed[v.ID] && v.Keep {
			now.Stay = append(now.Stay, Judged{ID: v.ID, TakenAt: v.At.UTC(), Reason: v.Reason})
		}
	}
	return now, nil
}

// prunes compares what is still to be removed with what is there. That somebody else
// removed a part of it is no matter; that it is needed now is.
func (c *comparison) prunes() {
	for _, s := range c.plan.Steps {
		if s.Kind != PruneBackups || c.ran(s) {
			continue
		}
		r := c.st.Repository(s.Repository)
		if r == nil || r.Looked != state.Present {
			c.add(RepositoryGone, "", "Repository %s can't be looked at any more", s.Repository)
			continue
		}
		now, err := PruneNow(c.plan, s, c.st)
		switch {
		case err != nil:
			c.add(BackupNeeded, "", "What step %d removes can't be judged again: %v", s.ID, err)
		case c.brings(s): // the step judges again once it is there
		case now.Newest == "":
			c.add(BackupNeeded, "", "Repository %s holds no verified backup of %s any more, and step %d removes backups there", s.Repository, s.Backup, s.ID)
		case now.Last:
			c.add(BackupNeeded, "", "The backup %s is the newest verified one of %s now, and step %d removes it", now.Newest, s.Backup, s.ID)
		}
	}
}

// brings tells whether the plan is still to bring a newer backup where a prune step of it
// removes: what is the newest there now need not be it then.
func (c *comparison) brings(prune Step) bool {
	return slices.ContainsFunc(c.plan.Steps, func(s Step) bool {
		return s.ID < prune.ID && s.Backup == prune.Backup && s.Repository == prune.Repository && s.Recovery == "" &&
			(s.Kind == CopyBackup || s.Kind == Verify) && !c.ran(s)
	})
}
