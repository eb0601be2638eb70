package plan

import "slices"

// Need says which earlier step a step waits for, and why.
type Need struct {
	Step int
	Why  Why
}

// Why is the reason for which one step comes after another.
type Why string

// The reasons.
const (
	SameNode     Why = "the same node"
	SameBackup   Why = "the same backup"
	InTurn       Why = "one manager after the other"
	AnswerNeeded Why = "the swarm answers"
	AllBefore    Why = "all that came before"
)

// Needs are, for each step in the order of the plan, the steps that it waits for:
// what the same node and the same backup have before it, and, since managers are
// touched one after the other, the last step that touched the quorum. What follows
// from another need is left out. A run takes the steps one by one in their order;
// the needs say why no other order would do.
func (p *Plan) Needs() [][]Need {
	d := &dependencies{steps: p.Steps, voters: map[string]bool{}, last: map[string]int{}, before: make([][]Need, len(p.Steps))}
	for _, m := range p.Fingerprint.Managers {
		d.voters[m.NodeID] = true
	}
	for i := range p.Steps {
		d.step(i)
	}
	for _, needs := range d.before { // from places to IDs
		for k, n := range needs {
			needs[k].Step = p.Steps[n.Step].ID
		}
	}
	return d.before
}

// dependencies hold the last step of each node, each backup and the quorum. Steps
// are told by their place: the IDs of a document are not trusted to be in order.
type dependencies struct {
	steps  []Step
	voters map[string]bool // node IDs of the managers that there were
	last   map[string]int
	before [][]Need
}

func (d *dependencies) step(i int) {
	s := d.steps[i]
	var needs []Need
	after := func(key string, why Why) {
		if at, there := d.last[key]; there {
			needs = append(needs, Need{at, why})
		}
	}
	var keys []string
	for _, name := range s.hosts() {
		after("node "+name, SameNode)
		keys = append(keys, "node "+name)
	}
	if s.Backup != "" {
		after("backup "+s.Backup, SameBackup)
		keys = append(keys, "backup "+s.Backup)
	}
	if r := s.DataRestore; r != nil {
		after("quorum", AnswerNeeded)
		after("restore "+r.ID, SameBackup)
		keys = append(keys, "restore "+r.ID)
	}
	switch {
	case s.touchesQuorum() && !(s.BringsBack() && !d.voters[s.NodeID]):
		after("quorum", InTurn)
		keys = append(keys, "quorum")
	case s.throughSwarm():
		after("quorum", AnswerNeeded)
	}
	if s.Kind == Check {
		needs = append(needs, d.leaves(i)...)
	}
	d.before[i] = d.reduced(needs)
	for _, key := range keys {
		d.last[key] = i
	}
}

// hosts are what a step touches: nodes, or an entry that is no declared node's.
func (s Step) hosts() []string {
	if s.OnRepository() {
		return nil
	}
	if s.Node == "" {
		return []string{"entry " + s.Entry}
	}
	return append([]string{s.Node}, s.With...)
}

// touchesQuorum tells whether a step belongs to what is done one after the other: it
// stops, starts, adds or takes a manager, or it prepares what a recovery then does
// with all managers.
func (s Step) touchesQuorum() bool {
	switch s.Kind {
	case Stop, Start, Unlock, Hold, Fence, Restore, Init, Promote, Demote:
		return true
	case Retain, Save, Prepare:
		return s.Recovery != ""
	case Join:
		return s.Join == nil || s.Join.Role != "worker"
	}
	return false
}

// throughSwarm tells whether a step is asked of the swarm, so that one must answer.
func (s Step) throughSwarm() bool {
	switch s.Kind {
	case Join, Leave, RemoveNode, UpdateNode, Await, RotateJoinTokens, RotateUnlockKey, Check, UpdateSwarm, Rebalance,
		Quiesce, Resume:
		return true
	}
	return false
}

// leaves are the steps of the same recovery before i that no other step waits for.
func (d *dependencies) leaves(i int) []Need {
	needed := map[int]bool{}
	for _, needs := range d.before[:i] {
		for _, n := range needs {
			needed[n.Step] = true
		}
	}
	var leaves []Need
	for at, s := range d.steps[:i] {
		if s.Recovery == d.steps[i].Recovery && s.Kind != Check && !needed[at] {
			leaves = append(leaves, Need{at, AllBefore})
		}
	}
	return leaves
}

// reduced leaves out what another need already waits for, and gives the rest in
// order, each once.
func (d *dependencies) reduced(needs []Need) []Need {
	slices.SortStableFunc(needs, func(a, b Need) int { return a.Step - b.Step })
	needs = slices.CompactFunc(needs, func(a, b Need) bool { return a.Step == b.Step })
	if len(needs) < 2 {
		return needs
	}
	implied, lowest := map[int]bool{}, needs[0].Step
	var walk func(at int)
	walk = func(at int) {
		for _, n := range d.before[at] {
			if n.Step >= lowest && !implied[n.Step] {
				implied[n.Step] = true
				walk(n.Step)
			}
		}
	}
	for _, n := range needs {
		walk(n.Step)
	}
	return slices.DeleteFunc(needs, func(n Need) bool { return implied[n.Step] })
}
