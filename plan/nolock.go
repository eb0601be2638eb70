package plan

import (
	"fmt"

	"github.com/requeen/requeen/internal/diag"
)

// Writes tells whether a step needs the lock of its repository: it stores or removes
// there, leads to that, or removes from a host what another run may be storing. What only
// reads a backup, or brings an engine back, does not.
func (s Step) Writes() bool {
	if s.Repository == "" {
		return false
	}
	switch s.Kind {
	case Stop, Archive, Verify, Save, CleanUp, PruneBackups, CopyBackup, PutSchedule, TakeSchedule, Quiesce, ArchiveData, Resume:
		return true
	}
	return false
}

// lockNeeded is the unmet goal of a backup that is due while no lock may be taken.
func lockNeeded(n *need) Unmet {
	return Unmet{Code: diag.LockNeeded, Goal: n.goal(),
		Reason: fmt.Sprintf("%s. One is made only under the lock of repository %s: without it two runs could stop two managers.", sentenceCase(n.reason), n.block.Repository),
		Remedy: remedy(diag.LockNeeded)}
}

// withoutLock says of every plan that is made without the lock what that means.
func (p *planner) withoutLock() {
	if !p.in.NoLock || len(p.plan.Steps) == 0 {
		return
	}
	for _, h := range p.plan.Hazards {
		if h.Code == diag.NoSharedLock {
			return
		}
	}
	text := "No repository's lock is taken (-lock=false): nothing but the hosts' own locks keeps a second run away"
	if r := p.plan.Recovery; r != nil && r.Backup != "" {
		text += fmt.Sprintf(". Repository %s is only read", r.Repository)
	}
	p.hazard(diag.NoSharedLock, 0, "", "%s", text)
}
