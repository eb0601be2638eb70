package plan

import (
	"fmt"

	"github.com/requeen/requeen/internal/diag"
)

// byHand says for each condition what people do about it: plan, where a rung of
// the ladder is for it; and by hand what comes before, where none is.
var byHand = map[ConditionName]string{
	Foreign: "Correct the address or connection of the node that is named, or cluster.id; then plan again.",
	Forked:  "Stop the engines of the old line, so that only the newer epoch's managers run; then plan again: they are joined to it.",
	Split:   "Two swarms live with one ID. Where one was forced or restored it is the newer epoch (docker info and requeen status on each side; backups name theirs): stop the engines of the older side. Where both are of one epoch, of the side that fewer managers follow. Then plan again.",
	Unknown: "Make the hosts that are named reachable and their engines answer, then plan again. One that is gone for good is named in recovery { assume_dead }. Start nothing over before you know.",
	Locked: "requeen plan unlocks a majority at once, with cluster.unlock_key. Don't run docker swarm unlock on fewer: " +
		"without a quorum it hangs the engine.",
	Leaderless: "requeen plan waits until the loss is certain, then takes the lowest rung that recovery.allow has: managers that can " +
		"come back are started, else a new cluster is forced out of the furthest log. Don't run docker swarm init by hand.",
	Stopped: "requeen plan starts the engines.",
	Orphaned: "requeen plan starts the engines again where that is enough, else it forces a new cluster out of the furthest log. " +
		"Don't run docker swarm init by hand: it starts an empty swarm over the state.",
	AbsentAll: "requeen plan restores the newest verified backup, where recovery.allow has restore.",
}

// notHealthy says that no manager is stopped for a backup as the cluster is,
// unless what a cut run left was the cause and the plan mends it.
func (p *planner) notHealthy(needs []*need) {
	if p.w.usable() {
		p.afterRecovery(needs)
		return
	}
	mended, told := p.mended() || p.plan.Recovery != nil, p.judged
	reason := fmt.Sprintf("The cluster is %s: %s", p.w.cond.Name, sentence(p.w.cond.Reason))
	if !mended && !told {
		p.unmet(Unmet{Code: diag.NotHealthy, Goal: p.goalLeader(),
			Reason: reason, Remedy: p.w.byHand()})
	}
	for _, n := range needs {
		if !n.due || n.met || n.unmet {
			continue
		}
		u := Unmet{Code: diag.NotHealthy, Goal: n.goal(), Remedy: "Bring the swarm back first, then plan again.",
			Reason: fmt.Sprintf("%s. The cluster is %s, and a manager is stopped only where a leader answers.", sentenceCase(n.reason), p.w.cond.Name)}
		if r := p.plan.Recovery; r != nil && (r.Rung == RungForce || r.Rung == RungRestore) && n.repo != nil && !p.in.NoLock {
			u.Reason = sentenceCase(n.reason) + ": which of its managers can be stopped for one is seen once they are back."
		}
		if mended {
			u.Remedy = "requeen apply brings the swarm back first; then plan again."
		}
		p.unmetNeed(n, u)
	}
}

// afterRecovery says which backups wait for nodes that come back into a swarm that
// answers.
func (p *planner) afterRecovery(needs []*need) {
	for _, n := range needs {
		if p.plan.Recovery != nil && n.due && !n.met && !n.unmet {
			p.unmetNeed(n, Unmet{Code: diag.NotHealthy, Goal: n.goal(), Remedy: "requeen apply brings the nodes back first; then plan again.",
				Reason: sentenceCase(n.reason) + ". Nodes come back with this plan, and no manager is stopped beside that."})
		}
	}
}

// mended tells whether the steps so far bring a quorum back.
func (p *planner) mended() bool {
	return len(p.plan.Steps) > 0 && p.w.st.Swarm == nil && upCount(p.w.voters) >= majority(len(p.w.voters))
}
