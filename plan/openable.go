package plan

import (
	"slices"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// openableHazards tell what could keep the backups from ever being opened (safety
// rule 24): nobody has shown that an identity of their recipients exists, it lies in
// the swarm itself, or the unlock key is kept nowhere but there.
func (p *planner) openableHazards(needs []*need) {
	if !p.in.Here.Known {
		return
	}
	for _, n := range needs {
		if n.newest != nil && n.repo != nil && NeverOpenedSet(n.newest, n.holder.Backups, p.in.Now) && !neverOpened(p.w.cfg.Repository(n.holder.Name)) {
			p.hazard(diag.NeverOpened, 0, "", "No backup of %s that is encrypted to the recipients of %s was ever opened with an identity", n.block.Name, n.newest.ID)
		}
	}
	for _, r := range p.w.cfg.Repositories {
		if node := p.in.Here.IdentityOn[r.Name]; node != "" {
			p.hazard(diag.IdentityOnNode, 0, node, "The identity of repository %s is read from this machine, which is the node %s of the swarm", r.Name, node)
		}
	}
	if len(needs) > 0 && UnlockKeyNowhere(p.w.cfg, p.w.st) {
		p.hazard(diag.UnlockKeyNowhere, 0, "", "The swarm is auto-locked, cluster.unlock_key is not set, and no backup block has unlock_key_escrow")
	}
}

// NeverOpenedSet tells whether no backup with the recipients of this one was ever
// opened with an identity; one that is stored in clear needs none.
func NeverOpenedSet(b *state.Backup, all []state.Backup, now time.Time) bool {
	return !b.PlainStored && LastOpened(b, all, now).OpenedAt.IsZero()
}

// LastOpened is the backup with the recipients of this one that was opened last, or
// one that never was. What was opened in the future, by a clock that was wrong or by
// nobody, says nothing of the time since: it would never be long ago.
func LastOpened(b *state.Backup, all []state.Backup, now time.Time) (last state.Backup) {
	for _, o := range all {
		if o.Problem == nil && !o.OpenedAt.After(now.Add(maxSkew)) && o.Cluster == b.Cluster && o.OpenedAt.After(last.OpenedAt) && sameSet(o.Recipients, b.Recipients) {
			last = o
		}
	}
	return last
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// UnlockKeyNowhere tells whether an auto-locked swarm's unlock key is, as far as the
// configuration says, known to the live managers alone.
func UnlockKeyNowhere(cfg *schema.Config, st *state.State) bool {
	if st.Swarm == nil || !st.Swarm.Autolock || !st.Swarm.UnlockKeyKnown || cfg.Cluster.UnlockKey.Set() {
		return false
	}
	return !slices.ContainsFunc(cfg.Backups, func(b schema.Backup) bool { return b.KeyEscrow })
}
