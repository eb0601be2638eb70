package plan

import (
	"slices"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// comesAlong tells what of a backup's data is restored with the swarm. What could not be
// read when it was made is in no hand's power now: it keeps no swarm down, unless it is
// asked for by name.
func (p *planner) comesAlong(c *candidate) func(id string) bool {
	return func(id string) bool {
		return p.wantsPart(id) && (contains(p.in.Only, id) || !madeWithout(c.backup, id))
	}
}

// madeWithout tells of data that a backup was made without.
func madeWithout(b *state.Backup, id string) bool {
	return slices.ContainsFunc(b.Data, func(d state.BackupData) bool { return d.ID() == id && d.Missing })
}

// lackingData tells which declared data a backup that is restored does not hold, as the
// first one after a recovery does not: services must not start without their data in
// silence. An older backup that holds it is named.
func (p *planner) lackingData(c *candidate, target *node) {
	block := p.w.cfg.Backup(c.backup.Backup)
	if block == nil {
		return
	}
	list := lacking(*block, c.backup)
	for _, d := range block.Data {
		if madeWithout(c.backup, d.ID()) {
			list = append(list, d.ID())
		}
	}
	for _, id := range slices.DeleteFunc(list, func(id string) bool { return !p.wantsPart(id) }) {
		also := ""
		if older := p.holding(id, c.backup); older != nil {
			also = ". Backup " + older.ID + ", " + span(p.in.Now.Sub(older.TakenAt)) + " old, holds it; once the swarm is back: requeen plan -restore=" + older.ID + " -only=" + id
		}
		p.hazard(diag.DataNotHeld, 0, target.cfg.Name, "Backup %s does not hold %s, which is declared: the services that use it start on what is in its place now, or on nothing%s", c.backup.ID, id, also)
	}
}

// holding is the newest other backup of the same block that holds a source, nil where
// there is none.
func (p *planner) holding(id string, than *state.Backup) (best *state.Backup) {
	for _, r := range p.w.placesFirst() {
		for i := range r.Backups {
			b := &r.Backups[i]
			holds := slices.ContainsFunc(b.Data, func(d state.BackupData) bool { return d.ID() == id && !d.Missing })
			if holds && b.ID != than.ID && b.Backup == than.Backup && p.ofCluster(b) && p.passedOver(b) == "" && (best == nil || b.TakenAt.After(best.TakenAt)) {
				best = b
			}
		}
	}
	return best
}
