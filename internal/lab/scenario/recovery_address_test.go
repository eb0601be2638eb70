//go:build lab

package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// toAnotherAddress has the only manager's host gone for good: its backup is restored
// onto another host, at another address, while the worker knows the old one alone.
func (s *swarm) toAnotherAddress() {
	s.on("m1", "docker node update --label-add disk=fast w1 >/dev/null")
	s.does("apply", "-auto-approve")
	s.allBack()
	before, worker := s.holdings("m1"), s.containers("w1")
	other, err := s.lab.AddNode(s.ctx, "manager")
	must(s.t, err)
	must(s.t, s.lab.Kill(s.ctx, "m1"))
	s.env = append(s.env, "RQ_TESTONLY_LOOKED_BEFORE=150s")
	s.append(fmt.Sprintf("\nnode %q {\n  address = %q\n  role    = \"manager\"\n}\n", other.Name, other.Address))

	s.edit("recovery {", "recovery {\n  restore_onto = \""+other.Name+"\"")
	if p := s.planFile("early.plan"); len(p.Steps) > 0 || len(p.Unmet) != 1 {
		s.t.Errorf("nobody said that m1 is gone for good, and planned is %+v", p)
	}
	s.edit("recovery {", "recovery {\n  assume_dead  = [\"m1\"]")
	p := s.recovers("restore", other.Name)
	if !slices.ContainsFunc(p.Hazards, func(h hazard) bool { return h.Code == "RQ130" && strings.Contains(h.Text, "w1: ") }) {
		s.t.Errorf("w1 has to look for its manager elsewhere, and the plan does not say that its containers end: %+v", p.Hazards)
	}
	if len(p.Recovery.Unfenced) != 1 || p.Recovery.Unfenced[0].Node != "m1" {
		s.t.Errorf("want m1 as not fenced, have %+v", p.Recovery.Unfenced)
	}

	s.members = []string{other.Name}
	s.eventually(time.Minute, "w1 to be ready", func() (bool, error) {
		return strings.Contains(s.on(other.Name, "docker node ls --format '{{.Hostname}} {{.Status}}'"), "w1 Ready"), nil
	})
	now := s.holdings(other.Name)
	if now.swarm != before.swarm || now.objects != before.objects {
		s.t.Errorf("the swarm was %s with\n%s\nit is %s with\n%s", before.swarm, before.objects, now.swarm, now.objects)
	}
	if now.ids["w1"] != before.ids["w1"] || !slices.ContainsFunc(now.nodes, func(n string) bool {
		return strings.HasPrefix(n, "w1 ") && strings.Contains(n, `"disk":"fast"`)
	}) {
		s.t.Errorf("w1 had the ID %s, it has %s; the nodes are %v", before.ids["w1"], now.ids["w1"], now.nodes)
	}
	s.atScale(other.Name)
	s.t.Logf("w1 ran %d containers and runs %d: what had no node for long enough runs on %s", len(worker), len(s.containers("w1")), other.Name)
	if out := s.on(other.Name, "docker swarm join-token worker"); !strings.Contains(out, other.Address+":2377") {
		s.t.Errorf("the join token leads elsewhere than to %s: %s", other.Address, out)
	}
	s.nothingHeld()

	// What the worker knows now survives its engine.
	s.on("w1", "systemctl restart docker.service")
	s.eventually(time.Minute, "w1 to find the manager again", func() (bool, error) {
		return strings.Contains(s.on(other.Name, "docker node ls --format '{{.Hostname}} {{.Status}}'"), "w1 Ready"), nil
	})
	s.run("plan") // what is left to say of m1
}

// atScale waits until every service has as many tasks as it is to have, on whichever
// node: the swarm does not spread again what it had to put elsewhere.
func (s *swarm) atScale(manager string) {
	s.t.Helper()
	out := ""
	s.t.Cleanup(func() {
		if s.t.Failed() {
			s.t.Logf("the services: %s", out)
		}
	})
	s.eventually(2*time.Minute, "every service to be at its scale", func() (bool, error) {
		out = s.on(manager, "docker service ls --format '{{.Name}} {{.Replicas}}'")
		for line := range strings.Lines(out) {
			_, replicas, _ := strings.Cut(strings.TrimSpace(line), " ")
			if have, want, counted := strings.Cut(replicas, "/"); !counted || have != want {
				return false, nil
			}
		}
		return true, nil
	})
}
