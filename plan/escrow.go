package plan

import (
	"github.com/requeen/requeen/internal/state"
)

// escrows tells whether the backup that a step makes holds the unlock key of its
// time, too.
func (p *planner) escrows(s Step) bool {
	b, r := p.w.cfg.Backup(s.Backup), p.w.cfg.Repository(s.Repository)
	return b != nil && b.KeyEscrow && r != nil && !r.Plaintext
}

// otherKey tells whether the unlock key at hand is not the one of a backup's time: a
// fingerprint is enough to know, before anything is fetched.
func (p *planner) otherKey(b *state.Backup) bool {
	have := p.in.Here.UnlockKey
	return b.Autolocked && !b.KeyEscrowed() && have != "" && b.KeySHA256 != "" && have != b.KeySHA256
}
