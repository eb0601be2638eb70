package plan

import (
	"fmt"

	"github.com/requeen/requeen/internal/diag"
)

// byHand says for each condition what people do now: bringing a swarm back is
// not among the steps that exist.
var byHand = map[ConditionName]string{
	Foreign:    "Correct the address or connection of the node that is named, or cluster.id; then plan again.",
	Forked:     "Stop the engines of the old line, so that only the newer epoch's managers run; then plan again.",
	Split:      "Stop the engine of the leader that fewer managers follow (docker node ls on each shows whom it sees), then plan again.",
	Unknown:    "Make the hosts that are named reachable and their engines answer, then plan again. Start nothing over before you know.",
	Locked:     "Start the engines of a majority of the managers, then run docker swarm unlock on each; with fewer it hangs.",
	Leaderless: "Start the engines of the missing managers. Only if they are lost for good: stop every old manager, copy the survivor's swarm directory aside, and run docker swarm init --force-new-cluster on the survivor whose log is furthest.",
	Stopped:    "Start the engines: systemctl start docker on each manager.",
	Orphaned:   "Don't run docker swarm init by itself: it starts an empty swarm over the state. Stop the engine, copy the swarm directory aside, start the engine, and run docker swarm init --force-new-cluster on the manager whose log is furthest.",
	AbsentAll:  "Restore the newest backup by hand: stop the engine, unpack the backup (age -d | zstd -d | tar x) as the swarm directory without docker-state.json, start the engine, and run docker swarm init --force-new-cluster.",
}

// notHealthy says that no manager is stopped for a backup as the cluster is,
// unless what a cut run left was the cause and the plan mends it.
func (p *planner) notHealthy(needs []*need) {
	if p.w.usable() {
		return
	}
	mended := p.mended()
	reason := fmt.Sprintf("The cluster is %s: %s", p.w.cond.Name, sentence(p.w.cond.Reason))
	if !mended {
		p.unmet(Unmet{Code: diag.NotHealthy, Goal: fmt.Sprintf("the cluster %q answers with a leader", p.w.cfg.Cluster.Name),
			Reason: reason, Remedy: byHand[p.w.cond.Name]})
	}
	for _, n := range needs {
		if !n.due || n.met || n.unmet {
			continue
		}
		u := Unmet{Code: diag.NotHealthy, Goal: n.goal(), Remedy: "Bring the swarm back first, then plan again.",
			Reason: fmt.Sprintf("%s. The cluster is %s, and a manager is stopped only where a leader answers.", sentenceCase(n.reason), p.w.cond.Name)}
		if mended {
			u.Remedy = "Apply this plan, which brings back what a cut run stopped, then plan again."
		}
		p.unmetNeed(n, u)
	}
}

// mended tells whether the steps so far bring a quorum back.
func (p *planner) mended() bool {
	return len(p.plan.Steps) > 0 && p.w.st.Swarm == nil && upCount(p.w.voters) >= majority(len(p.w.voters))
}
