package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// ChangeKind says what is not as it was when the plan was made.
type ChangeKind string

// The kinds of changes. All but AlreadyDone make a plan stale.
const (
	SwarmGone      ChangeKind = "swarm-gone"      // no manager answers any more
	SwarmChanged   ChangeKind = "swarm-changed"   // its ID, epoch or auto-lock
	HistoryBack    ChangeKind = "history-back"    // its objects are older than they were
	VotersChanged  ChangeKind = "voters-changed"  // a manager came or went
	ManagerLost    ChangeKind = "manager-lost"    // a manager that was reachable is not
	LeaderMoved    ChangeKind = "leader-moved"    // to a manager that a step stops as a follower
	HostChanged    ChangeKind = "host-changed"    // a node is another machine, or its state another's
	HostGone       ChangeKind = "host-gone"       // a step's host can't be looked at
	RunGone        ChangeKind = "run-gone"        // a cut run that a step finishes or removes is not there
	RunBegun       ChangeKind = "run-begun"       // a run is in progress on another host
	RepositoryGone ChangeKind = "repository-gone" // a step's repository can't be looked at
	SwarmAnswers   ChangeKind = "swarm-answers"   // a leader is there, where there was none to recover from
	SurvivorMoved  ChangeKind = "survivor-moved"  // a survivor's log ends elsewhere, or can't be read any more
	Expired        ChangeKind = "expired"         // the plan destroys, and is too old to be begun
	EntryGone      ChangeKind = "entry-gone"      // the swarm does not list a node any more that a step is on
	EntryBack      ChangeKind = "entry-back"      // a node is seen again that a step removes as lost
	BackupNeeded   ChangeKind = "backup-needed"   // a backup that a step removes is the newest verified one now, or there is none
	HostBack       ChangeKind = "host-back"       // a host can be reached again whose node a step removes as dead
	// ConfigurationChanged: a command of the plan failed, and the configuration is
	// another one since.
	ConfigurationChanged ChangeKind = "configuration-changed"

	AlreadyDone ChangeKind = "already-done" // somebody else made the backup: its steps are skipped
)

// Change is one thing that is not as it was when the plan was made.
type Change struct {
	Kind   ChangeKind `json:"kind"`
	Node   string     `json:"node,omitempty"`
	Backup string     `json:"backup,omitempty"`
	// Steps are the IDs that AlreadyDone leaves nothing to do for. What starts
	// or unlocks a manager that a cut run left is never among them.
	Steps  []int  `json:"steps,omitempty"`
	Text   string `json:"text"`
	Remedy string `json:"remedy"`
}

// Done is how far a run of the plan has come, by its journal; the zero value is
// for a plan of which nothing ran.
type Done struct {
	Steps int // the ID of the last step whose outcome is known
	// Node is the node whose own stop and start are under way: that it can't
	// be reached, and that no manager answers where it is the only one, is the
	// plan's doing.
	Node string
}

// Stale tells what has changed since a plan was made, of what its decisions
// rest on. Changes of the kind AlreadyDone make no plan stale.
func Stale(p *Plan, st *state.State, done Done) []Change {
	c := &comparison{plan: p, st: st, done: done, steps: map[string][]Step{}}
	for _, s := range p.Steps {
		c.steps[s.Node] = append(c.steps[s.Node], s)
	}
	if p.Recovery != nil {
		c.recovery()
		return c.changes
	}
	c.expired()
	c.swarm()
	c.voters()
	c.entries()
	c.hosts()
	c.runs()
	c.backups()
	c.prunes()
	return c.changes
}

// IsStale tells whether any of the changes makes a plan stale.
func IsStale(changes []Change) bool {
	for _, c := range changes {
		if c.Kind != AlreadyDone {
			return true
		}
	}
	return false
}

// comparison is one run of Stale.
type comparison struct {
	plan    *Plan
	st      *state.State
	done    Done
	changes []Change
	steps   map[string][]Step // by node
}

func (c *comparison) add(kind ChangeKind, node, format string, args ...any) {
	c.changes = append(c.changes, Change{Kind: kind, Node: node, Text: sentence(fmt.Sprintf(format, args...)), Remedy: remedy(diag.PlanStale)})
}

// swarm compares the swarm as a whole.
func (c *comparison) swarm() {
	f, s := c.plan.Fingerprint, c.st.Swarm
	if len(f.Managers) == 0 {
		if s != nil && f.SwarmID != "" && s.ID != f.SwarmID {
			c.add(SwarmChanged, "", "The swarm is %s; it was %s", s.ID, f.SwarmID)
		}
		return // the plan was made without a swarm that answers
	}
	if s == nil {
		if len(f.Managers) > 1 || c.done.Node == "" || f.Managers[0].Name != c.done.Node {
			c.add(SwarmGone, "", "No manager answers for the swarm any more: %s", or(problemText(c.st.SwarmProblem), "no reason was given"))
		}
		return
	}
	if s.ID != f.SwarmID {
		c.add(SwarmChanged, "", "The swarm is %s; it was %s", s.ID, f.SwarmID)
	}
	if s.Epoch != f.Epoch {
		c.add(SwarmChanged, "", "The swarm is in epoch %q; it was in %q: it was recovered meanwhile", s.Epoch, f.Epoch)
	}
	if !c.autolock(s.Autolock) {
		c.add(SwarmChanged, "", "Auto-lock is %s; it was %s", onOff(s.Autolock), onOff(f.Autolock))
	}
	if s.VersionIndex < f.RaftIndexAtLeast && !c.removes() {
		c.add(HistoryBack, "", "The swarm's newest object has version %d; %d was seen: its history went back, or the newest object was removed",
			s.VersionIndex, f.RaftIndexAtLeast)
	}
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// voters compares who counts for the quorum, who is reachable and who leads. A
// manager that came back makes nothing stale.
func (c *comparison) voters() {
	f, s := c.plan.Fingerprint, c.st.Swarm
	if s == nil || len(f.Managers) == 0 {
		return
	}
	now := map[string]*state.SwarmNode{}
	for i := range s.Nodes {
		if m := &s.Nodes[i]; isVoter(m) {
			now[m.ID] = m
		}
	}
	was := map[string]bool{}
	for _, m := range f.Managers {
		was[m.NodeID] = true
		name, own := or(m.Name, m.NodeID), m.Name != "" && m.Name == c.done.Node
		v := now[m.NodeID]
		switch {
		case c.demoted(m.NodeID):
		case v == nil:
			c.add(VotersChanged, m.Name, "%s is no manager any more", name)
		case own:
		case m.Reachable && v.Reachability != "reachable":
			c.add(ManagerLost, m.Name, "The manager %s was reachable and is not any more", name)
		}
		if v != nil && v.Leader && m.MustNotLead && len(f.Managers) > 1 && c.willStop(m.NodeID) {
			c.add(LeaderMoved, m.Name, "%s leads now; the plan stops it as a follower", name)
		}
	}
	for i := range s.Nodes {
		if m := &s.Nodes[i]; now[m.ID] != nil && !was[m.ID] && !c.made(m) {
			c.add(VotersChanged, "", "%s (%s) is a manager now", or(m.Hostname, m.ID), m.ID)
		}
	}
}

// willStop tells whether a step that stops the node is still to run.
func (c *comparison) willStop(nodeID string) bool {
	for _, s := range c.plan.Steps {
		if s.Kind == Stop && s.NodeID == nodeID && s.ID > c.done.Steps {
			return true
		}
	}
	return false
}

// hosts compares the machines of the steps that are still to run.
func (c *comparison) hosts() {
	for _, f := range c.plan.Fingerprint.Hosts {
		if !c.willTouch(f.Name) {
			continue
		}
		h := c.st.Host(f.Name)
		switch gone := h == nil || h.Looked != state.Present; {
		case f.Absent && !gone:
			c.add(HostBack, f.Name, "%s can be reached again; the plan removes it as dead", f.Name)
			continue
		case gone && c.needsHost(f.Name):
			c.add(HostGone, f.Name, "%s can't be looked at any more", f.Name)
			continue
		case gone:
			continue
		}
		n := node{host: *h}
		may := c.identities(f)
		for _, pair := range []struct{ what, is, was string }{
			{"machine", h.MachineID, f.MachineID},
			{"host key", h.HostKey, f.HostKey},
			{"node ID", n.nodeID(), f.NodeID},
			{"swarm", n.clusterID(), f.ClusterID},
		} {
			identity := pair.what == "node ID" || pair.what == "swarm"
			unread := pair.is == "" && identity && f.Name == c.done.Node
			if identity && slices.ContainsFunc(may, func(i hostIdentity) bool { return i.fits(n) }) {
				continue
			}
			if pair.is != pair.was && !unread {
				c.add(HostChanged, f.Name, "%s has the %s %s; it had %s", f.Name, pair.what, or(pair.is, "(none)"), or(pair.was, "(none)"))
			}
		}
	}
}

func (c *comparison) willTouch(name string) bool {
	for _, s := range c.steps[name] {
		if s.ID > c.done.Steps {
			return true
		}
	}
	return false
}

// runs compares the cut runs that steps finish, and looks for one that began.
func (c *comparison) runs() {
	mine := map[string]bool{}
	for _, s := range c.plan.Steps {
		if s.Run == "" {
			continue
		}
		if !mine[s.Run] && s.ID > c.done.Steps && s.Node != c.done.Node && !c.hasRun(s.Node, s.Run) {
			c.add(RunGone, s.Node, "The cut run %s is not on %s any more", s.Run, s.Node)
		}
		mine[s.Run] = true
	}
	if len(c.plan.Steps) == 0 {
		return
	}
	for _, h := range c.st.Hosts {
		for _, r := range h.Runs {
			if r.Cluster == c.plan.Cluster && r.UnitActive && h.Name != c.done.Node {
				c.add(RunBegun, h.Name, "The run %s is in progress on %s", r.ID, h.Name)
			}
		}
	}
}

func (c *comparison) hasRun(name, id string) bool {
	h := c.st.Host(name)
	if h == nil || h.Looked != state.Present {
		return true // hosts() tells of that
	}
	for _, r := range h.Runs {
		if r.ID == id {
			return true
		}
	}
	return false
}

// backups finds what somebody else made meanwhile, of the backups of which no
// step has run.
func (c *comparison) backups() {
	var seen []string
	for _, s := range c.plan.Steps {
		if s.Backup == "" || !leadsTo(s, s.Backup) || contains(seen, s.Backup) {
			continue
		}
		seen = append(seen, s.Backup)
		r := c.st.Repository(s.Repository)
		switch {
		case s.ID <= c.done.Steps || s.Node == c.done.Node:
		case Satisfied(c.plan, c.st, s.Backup):
			c.changes = append(c.changes, Change{Kind: AlreadyDone, Backup: s.Backup, Steps: c.stepsTo(s.Backup),
				Text:   fmt.Sprintf("Backup %s was made by somebody else meanwhile; its steps are skipped.", s.Backup),
				Remedy: "Nothing is to be done."})
		case s.Repository != "" && (r == nil || r.Looked != state.Present):
			c.changes = append(c.changes, Change{Kind: RepositoryGone, Backup: s.Backup, Remedy: remedy(diag.PlanStale),
				Text: fmt.Sprintf("Repository %s can't be looked at any more.", s.Repository)})
		}
	}
}

// leadsTo tells whether a step is for nothing but a backup.
func leadsTo(s Step, backup string) bool {
	return s.Backup == backup && s.Kind != CleanUp && !s.OnRepository() && !s.Schedules() && (s.Run == "" || s.Kind == Verify)
}

func (c *comparison) stepsTo(backup string) []int {
	var ids []int
	for _, s := range c.plan.Steps {
		if leadsTo(s, backup) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// Satisfied tells whether a due backup has been made since the plan was: one
// that counts and was not there then is in its repository, younger than
// max_age, or where the backup was asked for, taken after the plan was made.
func Satisfied(p *Plan, st *state.State, backup string) bool {
	for _, f := range p.Fingerprint.NewestBackups {
		if f.Backup != backup {
			continue
		}
		r := st.Repository(f.Repository)
		if r == nil || r.Looked != state.Present {
			return false
		}
		m := measure{cluster: p.Cluster, block: backup, swarmID: p.SwarmID, epoch: p.Epoch, epochKnown: len(p.Fingerprint.Managers) > 0, now: st.ObservedAt}
		best, _, _ := m.newest(r.Backups)
		if best == nil || best.ID == f.ID || !best.TakenAt.After(f.TakenAt) {
			return false
		}
		if f.Asked {
			return !best.TakenAt.Before(p.PlannedAt)
		}
		return st.ObservedAt.Sub(best.TakenAt) < time.Duration(f.MaxAgeSeconds)*time.Second
	}
	return false
}
