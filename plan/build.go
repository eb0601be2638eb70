package plan

import (
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// Input is all that a plan is made from.
type Input struct {
	Config      *schema.Config
	State       *state.State
	Now         time.Time // read once by the caller; stored as PlannedAt
	ToolVersion string
	Backup      bool // every backup is asked for, whatever the age of the newest
	// Restore asks for a restore of this backup (an ID, or "latest"), also where
	// the swarm is well; Onto names the manager, "" leaves it to the configuration.
	Restore, Onto string
	// Only and Exclude say which parts of a backup are restored: PartSwarm, and its data
	// by kind and name; without Only all that is not excluded.
	Only, Exclude []string
	// Targets make the plan a partial one: names of declared nodes, and "backup."
	// with the name of a declared backup (-target).
	Targets []string
	// NoLock plans what runs without any repository's lock (-lock=false): nothing
	// is written to a repository then, and nothing that another run may be storing
	// is removed from a host.
	NoLock bool
	// Prune plans the removal of backups that no rule keeps, and nothing else
	// (backup prune).
	Prune bool
	// HelperSystems are the systems ("linux/amd64") for which a helper is at
	// hand; nil says that there is one for any.
	HelperSystems []string
	// Here is what is at hand where the plan is made.
	Here Here
}

// planner puts a plan together: the steps so far, and where they lead.
type planner struct {
	in   Input
	w    *world
	was  Margin // before the first step
	sim  *simulation
	plan *Plan
	err  error // the first invariant that a step breaks
	busy []string

	differs []Unmet // the last of the plan's unmet goals
	judged  bool    // the ladder said why the swarm is not brought back now
}

// Build decides what to do. The same input gives the same plan, byte for byte.
// An error says that the plan would break an invariant: a mistake of this
// package, never of the operator's.
func Build(in Input) (*Plan, error) {
	if in.Config == nil || in.State == nil {
		return nil, errors.New("plan: a configuration and an observation are needed")
	}
	in, err := in.targeted()
	if err != nil {
		return nil, err
	}
	w := join(in.Config, in.State)
	p := &planner{in: in, w: w, sim: simulate(w), plan: &Plan{
		FormatVersion: FormatVersion, ToolVersion: in.ToolVersion,
		Cluster: in.Config.Cluster.Name, SwarmID: w.id.id, ConfigSHA256: in.Config.SHA256,
		PlannedAt: in.Now.UTC().Round(0), Condition: w.cond, Targets: in.Targets,
		Steps: make([]Step, 0, 16), Unmet: []Unmet{}, Hazards: []Hazard{},
	}}
	if w.st.Swarm != nil {
		p.plan.Epoch = w.st.Swarm.Epoch
	}
	before, drawn := simulate(w), simulate(w)
	p.was = before.margin()
	needs := p.decide()
	if p.err != nil {
		return nil, fmt.Errorf("plan: %w", p.err)
	}
	p.expires()
	p.plan.Fingerprint = w.fingerprint(p.plan, needs)
	p.hazards(needs)
	p.plan.Summary = p.partly(p.summary(p.wanted(needs)))
	if err := checkFrom(before, p.plan, w); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	p.plan.Picture = w.picture(p.plan, drawn)
	return p.plan, nil
}

// decide fills steps and unmet goals.
func (p *planner) decide() []*need {
	if other := p.in.State.Cluster; other != "" && other != p.in.Config.Cluster.Name {
		p.unmet(Unmet{Code: diag.WrongCluster, Goal: goalCluster(p.in.Config),
			Reason: fmt.Sprintf("The observation is of the cluster %q, the configuration of %q. Nothing is planned.", other, p.in.Config.Cluster.Name),
			Remedy: remedy(diag.WrongCluster)})
		return nil
	}
	if p.w.id.problem != nil {
		p.unmet(*p.w.id.problem)
		return nil
	}
	if p.in.Prune {
		needs := p.w.needs(p.in.Now, false)
		p.pruneAlone(needs)
		return needs
	}
	for _, n := range p.w.nodes {
		if n.doubt != nil {
			p.unmet(*n.doubt)
		}
	}
	needs := p.w.needs(p.in.Now, p.in.Backup)
	if p.recoveryTargeted() {
		return needs
	}
	for _, n := range p.wanted(needs) {
		if n.repo != nil {
			p.unlookedCopies(n)
		}
		switch {
		case n.repo == nil:
			p.unmetNeed(n, p.w.unusableRepository(n))
		case p.in.NoLock && n.due:
			p.unmetNeed(n, lockNeeded(n))
		case n.due:
			if u := p.signNeeded(n); u != nil {
				p.unmetNeed(n, *u)
			}
		}
	}
	p.resumeLeft()
	p.leftovers(needs)
	switch {
	case p.partial(): // recoveries are planned as a whole
	case p.in.Restore != "" && !p.wantsPart(PartSwarm):
		p.restoreDataAsked()
		return needs
	case p.in.Restore != "":
		p.restoreAsked()
	default:
		p.recover()
		p.grow()
		p.goOnRestoring()
	}
	p.startAway()
	p.checks()
	p.freshBackups(needs)
	p.notHealthy(p.wanted(needs))
	for _, n := range p.wanted(needs) {
		if n.due && !n.met && !n.unmet && p.plan.Recovery == nil {
			p.backup(n)
		}
	}
	p.shape()
	p.copies(needs)
	p.prune(needs)
	p.schedules()
	return needs
}

// backup plans one new backup: a manager is stopped, copied and brought back,
// and the copy verified.
func (p *planner) backup(n *need) {
	if len(p.busy) > 0 {
		p.unmetNeed(n, Unmet{Code: diag.RunInProgress, Goal: n.goal(),
			Reason: sentenceCase(n.reason) + ". No manager is stopped while a run is in progress on " + listing(p.busy) + ".",
			Remedy: remedy(diag.RunInProgress)})
		return
	}
	c, u := p.choose(n)
	if u == nil {
		u = p.dataUnmet(n)
	}
	if u == nil && p.w.autolocked(c.voter.node) && !p.w.keyKnown() {
		u = p.noKey(n.goal(), c.voter.node)
	}
	if u != nil {
		p.unmetNeed(n, *u)
		return
	}
	n.met = true
	p.dataSteps(n, c.voter.node)
	p.backupSteps(n, c)
}

func (p *planner) noKey(goal string, n *node) *Unmet {
	return &Unmet{Code: diag.NoUnlockKey, Goal: goal, Node: n.cfg.Name,
		Reason: fmt.Sprintf("The swarm is auto-locked: %s comes back from a stop only with the unlock key, no live manager tells it, and cluster.unlock_key is %s.",
			n.cfg.Name, keyWord(p.w.cfg.Cluster.UnlockKey)),
		Remedy: remedy(diag.NoUnlockKey)}
}

func keyWord(s schema.Secret) string {
	if s.Set() {
		return "set, but to a value that is not known here"
	}
	return "not set"
}

func (p *planner) unmet(u Unmet) { p.plan.Unmet = append(p.plan.Unmet, u) }

func (p *planner) unmetNeed(n *need, u Unmet) {
	n.unmet = true
	p.unmet(u)
}

// add appends a step on a declared node: its place, margin and binding are found here.
func (p *planner) add(n *node, s Step) int {
	s.Node, s.NodeID = n.cfg.Name, or(n.nodeID(), n.state.NodeID)
	return p.append(s)
}

// append gives a step its place and margin.
func (p *planner) append(s Step) int {
	s.ID = len(p.plan.Steps) + 1
	if err := p.sim.step(s); err != nil && p.err == nil {
		p.err = err
	}
	s.Margin = p.sim.margin()
	p.plan.Steps = append(p.plan.Steps, s)
	return s.ID
}

func sortedBackups(cfg *schema.Config) []schema.Backup {
	list := append([]schema.Backup(nil), cfg.Backups...)
	sort.SliceStable(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}
