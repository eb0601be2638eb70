package plan

import (
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// cannotSign says why no backup that counts can be stored in a repository, "" where
// one can: a verify key is declared, and its private half is not at hand.
func (p *planner) cannotSign(repository string) string {
	r := p.w.cfg.Repository(repository)
	switch {
	case r == nil || !r.Signs():
		return ""
	case !r.SignKeySet():
		return "it has a verify_key and no sign_key"
	}
	return p.in.Here.CannotSign[repository]
}

// signNeeded is the unmet goal of a backup that is due and could not be signed, nil
// where it can be: it is told before anything is stopped.
func (p *planner) signNeeded(n *need) *Unmet {
	why := p.cannotSign(n.block.Repository)
	if why == "" {
		return nil
	}
	return &Unmet{Code: diag.NoSignKey, Goal: n.goal(),
		Reason: sentence(fmt.Sprintf("%s. It could not be signed for repository %s: %s", sentenceCase(n.reason), n.block.Repository, told(why))),
		Remedy: remedy(diag.NoSignKey)}
}

// saveUnsigned says of what a held host holds that it is stored nowhere: unsigned
// it would be no backup, and a recovery does not wait for a key that may be lost. The
// set-aside on the host is the copy.
func (p *planner) saveUnsigned(n *node, why string) {
	p.hazard(diag.NoSignKey, 0, n.cfg.Name, "What %s holds is not stored in repository %s, for it could not be signed: %s. It stays on %s alone, set aside", n.cfg.Name, p.plan.Recovery.Repository, told(why), n.cfg.Name)
}

// unsignedHazard tells of the backups in a repository whose signature does not hold.
func (p *planner) unsignedHazard(r *state.Repository) {
	var list []string
	for _, b := range r.Backups {
		if unsigned(&b) {
			list = append(list, fmt.Sprintf("%s (%s)", b.ID, told(b.Problem.Text)))
		}
	}
	if len(list) > 0 {
		p.hazard(diag.BackupNotSigned, 0, "", "In repository %s these are suspect and count for nothing: %s", r.Name, listing(list))
	}
}

// unsigned tells whether a backup's signature does not hold.
func unsigned(b *state.Backup) bool {
	return b.Problem != nil && b.Problem.Code == diag.BackupNotSigned
}
