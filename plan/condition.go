package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// ConditionOf gives the condition of the cluster: the first that fits in the
// order of the constants. What was not looked at is unknown, never absent.
func ConditionOf(cfg *schema.Config, st *state.State) Condition { return join(cfg, st).cond }

func (w *world) condition() Condition {
	for _, try := range []func() (ConditionName, string){
		w.foreign, w.forked, w.split, w.led, w.unsure, w.withoutLeader,
	} {
		if name, reason := try(); name != "" {
			return Condition{Name: name, Reason: sentence(reason)}
		}
	}
	return Condition{Name: Unknown, Reason: "What was seen fits no condition: " + sentence(w.eachState())}
}

func (w *world) foreign() (ConditionName, string) {
	if p := w.id.problem; p != nil {
		return Foreign, p.Reason
	}
	for _, n := range w.nodes {
		if n.state.State == NodeForeign {
			return Foreign, fmt.Sprintf("%s belongs to the swarm %s, not to %s", n.cfg.Name, foreignID(n, w.id.id), w.id.id)
		}
	}
	return "", ""
}

// forked finds a backup whose epoch descends from the epoch of the swarm that
// answers: then this is the old line, and a newer one exists or existed.
func (w *world) forked() (ConditionName, string) {
	if w.st.Swarm == nil {
		return "", ""
	}
	parent, backup := map[string]string{}, map[string]string{}
	var epochs []string
	for _, r := range w.st.Repositories {
		for _, b := range r.Backups {
			if b.Problem != nil || b.SwarmID != w.id.id || b.Epoch == "" {
				continue
			}
			if _, known := parent[b.Epoch]; !known {
				epochs = append(epochs, b.Epoch)
				parent[b.Epoch], backup[b.Epoch] = b.ParentEpoch, b.ID
			}
		}
	}
	for _, e := range epochs {
		at := e
		for range epochs { // no chain is longer than this, and a ring ends
			if at == w.st.Swarm.Epoch {
				break
			}
			up, known := parent[at]
			if !known {
				break
			}
			if up == w.st.Swarm.Epoch && e != w.st.Swarm.Epoch {
				return Forked, fmt.Sprintf("the swarm that answers is in epoch %q, but backup %s is of epoch %q, which was opened after it by a recovery",
					w.st.Swarm.Epoch, backup[e], e)
			}
			at = up
		}
	}
	return "", ""
}

func (w *world) split() (ConditionName, string) {
	if w.st.Swarm == nil || leaders(w.voters) < 2 {
		return "", ""
	}
	var list []*voter
	for _, v := range w.voters {
		if v.leader {
			list = append(list, v)
		}
	}
	text := "more than one manager leads: " + listing(labels(list))
	if sides := w.sidesWords(); sides != "" {
		text += ". " + sides
	}
	return Split, text
}

// led tells healthy from degraded where a leader was seen.
func (w *world) led() (ConditionName, string) {
	if w.st.Swarm == nil || leaders(w.voters) != 1 {
		return "", ""
	}
	var leader *voter
	var gone []string
	for _, v := range w.voters {
		if v.leader {
			leader = v
		}
		if !v.up {
			gone = append(gone, v.label()+w.whyDown(v))
		}
	}
	for _, n := range w.managers() {
		if w.voterOf(n) == nil && len(n.rivals) == 0 {
			gone = append(gone, n.cfg.Name+" is no manager of the swarm")
		}
	}
	up := fmt.Sprintf("%s leads; %d of %s reachable, quorum %d", leader.label(), upCount(w.voters),
		counted(len(w.voters), "manager is", "managers are"), majority(len(w.voters)))
	if len(gone) == 0 {
		return Healthy, up
	}
	return Degraded, up + "; " + strings.Join(gone, "; ")
}

func (w *world) whyDown(v *voter) string {
	if v.node == nil {
		return " is unreachable"
	}
	switch s := v.node.state; s.State {
	case NodeActive:
		return " is unreachable for the leader, though its engine runs"
	case NodeUnknown:
		return " is unreachable"
	default:
		return " is " + string(s.State)
	}
}

// unsure is for when those managers that could not be looked at could be a
// quorum by themselves, or when an engine that answers leaves it open.
func (w *world) unsure() (ConditionName, string) {
	managers := w.managers()
	if len(managers) == 0 {
		return Unknown, "no manager is declared"
	}
	open := w.inState(NodeInactive)
	for _, n := range managers {
		if n.state.State == NodeUnknown && !w.saidDead(n) {
			open = append(open, n.cfg.Name)
		}
		if n.state.State == NodeActive && !leaderless(n) {
			open = append(open, n.cfg.Name)
		}
	}
	if len(open) >= majority(len(managers)) {
		return Unknown, "whether the swarm has a leader can't be told: " + w.eachState()
	}
	return "", ""
}

// leaderless tells whether a manager's engine says that there is no leader.
func leaderless(n *node) bool {
	return n.host.Engine.LocalNodeState == "pending" || strings.Contains(n.host.Engine.SwarmError, "does not have a leader")
}

// withoutLeader tells apart the conditions in which no quorum can be there.
func (w *world) withoutLeader() (ConditionName, string) {
	if w.st.Swarm != nil {
		return Unknown, "a manager answers, but its list of nodes names no leader"
	}
	rest := w.eachState()
	if len(w.inState(NodeLocked)) > 0 {
		return Locked, rest
	}
	if len(w.inState(NodeActive)) > 0 {
		return Leaderless, rest
	}
	if len(w.inState(NodeStopped)) > 0 {
		return Stopped, rest
	}
	if len(w.inState(NodeOrphaned)) > 0 {
		return Orphaned, rest
	}
	empty, dead := len(w.inState(NodeEmpty)), 0
	for _, n := range w.managers() {
		if w.saidDead(n) {
			dead++
		}
	}
	switch {
	case empty == len(w.managers()):
		return AbsentAll, "the disk of every declared manager was read, and none holds state"
	case empty > 0 && empty+dead == len(w.managers()):
		return AbsentAll, "no disk that could be read holds state, and every other manager is said to be dead: " + rest
	}
	return "", ""
}

// saidDead tells whether a manager can't be reached and the configuration says
// that it is gone for good. A host that shows another key than before is alive
// (safety rule 4).
func (w *world) saidDead(n *node) bool {
	return outOfReach(n) && slices.Contains(w.rules().AssumeDead, n.cfg.Name)
}

// outOfReach tells whether nothing answers at a host.
func outOfReach(n *node) bool {
	if n.host.Looked != state.Absent {
		return false
	}
	return n.host.Problem == nil || n.host.Problem.Code != diag.HostKeyChanged && n.host.Problem.Code != diag.HostKeyUnknown
}

// onlyOutOfReach tells whether the condition is unknown for no other reason than
// that hosts can't be reached, while a log of the swarm could be read: a cluster
// can be forced out of that once somebody takes those hosts for dead. Without a
// log they have to be named in the configuration (safety rule 4).
func (w *world) onlyOutOfReach() bool {
	for _, n := range w.managers() {
		switch {
		case n.state.State == NodeUnknown && !outOfReach(n), n.state.State == NodeInactive, n.state.State == NodeActive && !leaderless(n):
			return false
		}
	}
	return w.furthest() != nil && w.st.Swarm == nil
}

// inState names the declared managers that are in one of the states.
func (w *world) inState(states ...NodeStateName) []string {
	var names []string
	for _, n := range w.managers() {
		for _, s := range states {
			if n.state.State == s {
				names = append(names, n.cfg.Name)
			}
		}
	}
	return names
}

// eachState says the state of every declared manager with its reason, and why
// no manager gave an account of the swarm.
func (w *world) eachState() string {
	var parts []string
	for _, n := range w.managers() {
		parts = append(parts, fmt.Sprintf("%s is %s (%s)", n.cfg.Name, n.state.State, strings.TrimSuffix(n.state.Reason, ".")))
	}
	text := strings.Join(parts, "; ")
	if why := strings.TrimSuffix(problemText(w.st.SwarmProblem), "."); why != "" && !strings.Contains(text, why) {
		text += "; " + why
	}
	return text
}
