package plan

import (
	"fmt"
	"maps"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// joinHosts plans the declared hosts that are in no swarm, managers first.
func (s *shaping) joinHosts() {
	for _, role := range []string{schema.RoleManager, schema.RoleWorker} {
		for _, n := range s.w.nodes {
			if !s.wantsNode(n.cfg.Name) || n.cfg.Role != role || n.member != nil || n.doubt != nil || len(n.rivals) > 0 || !n.fresh() {
				continue
			}
			if u := s.w.unjoinable(n); u != nil {
				s.refuse(goalJoined(n.cfg.Name), n.cfg.Name, *u)
				continue
			}
			s.reached[goalJoined(n.cfg.Name)] = true
			s.join(n, fmt.Sprintf("%s is declared a %s, and its engine is in no swarm", n.cfg.Name, n.cfg.Role), s.w.oldEntries(n))
		}
	}
}

// unjoinable says why a host does not join as it is, nil if it can.
func (w *world) unjoinable(n *node) *Unmet {
	name := n.cfg.Name
	if skew := n.host.ClockSkew.Abs(); skew > maxSkew {
		return &Unmet{Code: diag.ClockSkew, Remedy: remedy(diag.ClockSkew),
			Reason: fmt.Sprintf("The clock of %s is %s off, and no certificate of the swarm's is surely good there.", name, span(skew))}
	}
	if n.host.Engine.LiveRestore {
		return &Unmet{Code: diag.LiveRestore, Remedy: remedy(diag.LiveRestore),
			Reason: fmt.Sprintf("%s's engine is configured with live-restore, which forbids swarm mode.", name)}
	}
	for _, m := range w.at.byPlace[canonical(n.cfg.Address)] {
		if !lost(m) {
			return &Unmet{Code: diag.NodeDiffers, Remedy: "Correct the address that is wrong; if the node left a moment ago, plan again once docker node ls shows its entry down.",
				Reason: fmt.Sprintf("%s's engine is in no swarm, and the swarm sees the node %s (%s) at its address, %s.", name, or(m.Hostname, "?"), m.ID, n.cfg.Address)}
		}
	}
	return nil
}

// join plans that a host joins in its role, at its declared address, and gets the
// labels and the availability that are declared, else those of its entry from before.
func (s *shaping) join(n *node, why string, old []*state.SwarmNode) {
	change := inherited(n, old)
	name := n.cfg.Name
	end := "as a worker, without a task yet"
	if n.manager() {
		end = "as a manager: it counts for the quorum from then on"
	}
	s.left[name] = true
	joins := JoinAs{Role: n.cfg.Role, Labels: change.Labels, Availability: change.Availability}
	s.on(n, Step{Kind: Join, Risk: Safe, TimeoutSeconds: seconds(joinTimeout),
		Join: &joins},
		"%s. It joins at %s %s", why, n.cfg.Address, end)
	until := s.markNew(n, &change)
	if what := change.words(); what != "" {
		s.on(n, Step{Kind: UpdateNode, Risk: Safe, TimeoutSeconds: seconds(nodeTimeout), Change: &change}, "%s's new entry gets %s%s", name, what, until)
	}
}

// inherited is what a host's new entry is to have.
func inherited(n *node, old []*state.SwarmNode) NodeChange {
	c := NodeChange{Availability: n.cfg.Availability, Labels: maps.Clone(n.cfg.Labels)}
	if len(old) > 0 {
		last := old[len(old)-1]
		if c.Availability == "" {
			c.Availability = last.Availability
		}
		if c.Labels == nil {
			c.Labels = unmarked(last.Labels)
		}
	}
	if c.Availability == schema.AvailabilityActive {
		c.Availability = "" // every new entry is
	}
	if len(c.Labels) == 0 {
		c.Labels = nil // and has no label
	}
	return c
}

// words say what a change gives, "" where it gives nothing.
func (c NodeChange) words() string {
	var parts []string
	if c.Availability != "" {
		parts = append(parts, "the availability "+c.Availability)
	}
	if c.Labels != nil {
		var labels []string
		for _, k := range sortedKeys(c.Labels) {
			labels = append(labels, quote(k+"="+c.Labels[k]))
		}
		switch len(labels) {
		case 0:
			parts = append(parts, "no labels")
		case 1:
			parts = append(parts, "the label "+labels[0])
		default:
			parts = append(parts, "the labels "+strings.Join(labels, " "))
		}
	}
	return listing(parts)
}

// updateNodes plans labels and availability of the nodes that are in the swarm and
// stay, and takes the tasks off workers that go.
func (s *shaping) updateNodes() {
	for _, n := range s.w.nodes {
		if !s.wantsNode(n.cfg.Name) || n.member == nil || n.doubt != nil || s.w.dead(n) || s.moving(n) {
			continue
		}
		change, goals := s.w.nodeChange(n)
		s.findNew(n, &change)
		s.update(n, change, goals)
	}
	for _, d := range s.drops {
		if !isVoter(d.entry) {
			s.drain(d)
		}
	}
}

// update plans what a node's entry is to have.
func (s *shaping) update(n *node, change NodeChange, goals []string) {
	what := change.words()
	if what == "" {
		return
	}
	for _, goal := range goals {
		s.reached[goal] = true
	}
	why := "differs from what is declared"
	if len(goals) == 0 {
		why = "is new, and a cut run has not given it what the old one has"
	}
	timeout := nodeTimeout
	if change.Availability == schema.AvailabilityDrain {
		timeout = drainTimeout
	}
	s.at(n.member, n, Step{Kind: UpdateNode, Risk: Safe, TimeoutSeconds: seconds(timeout), Change: &change}, "%s's entry %s: it gets %s", n.cfg.Name, why, what)
}

// nodeChange is what a node's entry is to have otherwise, with the goals that this
// reaches. What is not declared comes from an entry that it had before a cut join.
func (w *world) nodeChange(n *node) (c NodeChange, goals []string) {
	m := n.member
	if want := n.cfg.Availability; want != "" && want != m.Availability {
		c.Availability = want
		goals = append(goals, goalAvailability(n))
	}
	want, have := w.labels(n)
	if want != nil && !maps.Equal(want, have) {
		c.Labels = maps.Clone(want)
		goals = append(goals, goalLabels(n))
	}
	old := w.oldEntries(n)
	if len(old) == 0 || !n.isReady() {
		return c, goals
	}
	last := old[len(old)-1]
	if n.cfg.Availability == "" && last.Availability != m.Availability && m.Availability == schema.AvailabilityActive {
		c.Availability = last.Availability
	}
	if want == nil {
		both := unmarked(last.Labels)
		maps.Copy(both, have)
		if !maps.Equal(both, have) {
			c.Labels = both
		}
	}
	return c, goals
}
