package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/state"
)

// firstCopy is the first repository, in the order of copies, from which a backup can
// be restored; c itself where none of the others serves better.
func (p *planner) firstCopy(c *candidate) *candidate {
	if c == nil {
		return nil
	}
	for _, r := range p.w.placesFirst() {
		if b := p.copyIn(r, c.backup); b != nil && p.copyFault(r, b) == "" {
			return &candidate{b, r.Name}
		}
	}
	return c
}

// copyIn is what a repository holds of the same backup, nil where it does not.
func (p *planner) copyIn(r *state.Repository, of *state.Backup) *state.Backup {
	for i := range r.Backups {
		if b := &r.Backups[i]; r.Looked == state.Present && b.ID == of.ID && (p.ofCluster(b) || b.SwarmID == of.SwarmID) {
			return b
		}
	}
	return nil
}

// copyFault says why a backup is not restored from a repository while another one
// serves, "" where it is.
func (p *planner) copyFault(r *state.Repository, b *state.Backup) string {
	if fault := p.passedOver(b); fault != "" {
		return fault
	}
	if o := b.Opening; o != nil && o.Problem != nil && (o.Damaged || o.Problem.Code == "") {
		return "it does not open: " + told(o.Problem.Text)
	}
	if cfg := p.w.cfg.Repository(r.Name); cfg == nil || neverOpened(cfg) && !b.PlainStored {
		return "it has no identity"
	}
	return ""
}

// otherCopies says of a backup's repositories that come before the one that it is
// restored from why they are not the ones, "" where there is none.
func (p *planner) otherCopies(c *candidate) string {
	block := p.w.cfg.Backup(c.backup.Backup)
	if block == nil || len(block.Copies) == 0 {
		return ""
	}
	var parts []string
	for _, name := range block.Copies[:max(slices.Index(block.Copies, c.repository), 0)] {
		r := p.w.st.Repository(name)
		why := "it can't be looked at"
		if r != nil && r.Looked == state.Present {
			why = "it does not hold it"
			if b := p.copyIn(r, c.backup); b != nil {
				why = or(p.copyFault(r, b), "another one was chosen")
			}
		}
		parts = append(parts, name+", for "+told(why))
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf(". It is taken from repository %s, and not from %s", c.repository, strings.Join(parts, "; nor from "))
}
