package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/diag"
)

// TargetBackup stands before the name of a backup among the targets of a plan; a
// target without it is the name of a node.
const TargetBackup = "backup."

// targeted gives the input with its targets in their one form. What is not
// declared can't be one: a plan of nothing would look like one that is done.
func (in Input) targeted() (Input, error) {
	in.Targets = slices.Compact(slices.Sorted(slices.Values(in.Targets)))
	for _, t := range in.Targets {
		name, backup := strings.CutPrefix(t, TargetBackup)
		if backup && in.Config.Backup(name) == nil || !backup && in.Config.Node(name) == nil {
			return in, fmt.Errorf("plan: the target %q is neither a declared node nor a declared backup", t)
		}
	}
	return in, nil
}

// partial tells whether the plan is about its targets alone.
func (p *planner) partial() bool { return len(p.in.Targets) > 0 }

// wantsNode tells whether what a node is to be is planned; "" stands for what is
// about the swarm as a whole, which no target names. What a cut run left on a
// host is planned whatever the targets: it belongs to nothing that could be left
// for later.
func (p *planner) wantsNode(name string) bool {
	return !p.partial() || name != "" && contains(p.in.Targets, name)
}

// wanted are the backups that are planned where they are due.
func (p *planner) wanted(needs []*need) []*need {
	if !p.partial() {
		return needs
	}
	var list []*need
	for _, n := range needs {
		if contains(p.in.Targets, TargetBackup+n.block.Name) {
			list = append(list, n)
		}
	}
	return list
}

// recoveryTargeted tells whether the targets would take a part out of a recovery,
// and says why that is not done. A swarm that answers can be planned for while
// other managers are still to come back into it.
func (p *planner) recoveryTargeted() bool {
	if !p.partial() {
		return false
	}
	whole := p.in
	whole.Targets = nil
	all, err := Build(whole)
	if err != nil || all.Recovery == nil {
		return false // the partial plan is held to the invariants by itself
	}
	back := listing(p.in.Targets)
	if all.Recovery.Rung == RungGrow {
		i := slices.IndexFunc(all.Steps, func(s Step) bool { return s.Recovery != "" && contains(p.in.Targets, s.Node) })
		if i < 0 {
			return false
		}
		back = all.Steps[i].Node
	}
	p.unmet(Unmet{Code: diag.RecoveryTargeted, Goal: "plan a recovery for " + back + " alone",
		Reason: fmt.Sprintf("What is due is a recovery: %s. Its steps are one sequence, of which each rests on the ones before it: who is fenced, which log is furthest, who joins when. A part of it could leave the cluster without a quorum, or with two.",
			all.Summary),
		Remedy: remedy(diag.RecoveryTargeted)})
	return true
}

// partly says in front of a summary that it is not of the whole.
func (p *planner) partly(summary string) string {
	if !p.partial() {
		return summary
	}
	if len(p.plan.Steps) == 0 && len(p.plan.Unmet) == 0 {
		summary = "nothing to do"
	}
	return fmt.Sprintf("partial, for %s alone: %s", listing(p.in.Targets), summary)
}
