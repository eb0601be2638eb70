//go:build lab

package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

// anew has nodes leave and join under new node IDs, so that a backup from before
// knows nothing of the nodes that they are now.
func (s *swarm) anew(nodes ...string) {
	s.t.Helper()
	m1, err := s.lab.Node("m1")
	must(s.t, err)
	for _, n := range nodes {
		role := "manager"
		if n == "w1" {
			role = "worker"
		} else {
			s.on("m1", "docker node demote "+n+" >/dev/null")
		}
		id := s.on(n, "docker info -f '{{.Swarm.NodeID}}'")
		s.eventually(time.Minute, n+" to leave", func() (bool, error) {
			_, err := s.lab.Run(s.ctx, n, "timeout 20 docker swarm leave")
			return err == nil, nil
		})
		s.eventually(time.Minute, n+"'s entry to be removed", func() (bool, error) {
			_, err := s.lab.Run(s.ctx, "m1", "docker node rm "+id)
			return err == nil, nil
		})
		node, err := s.lab.Node(n)
		must(s.t, err)
		s.on(n, fmt.Sprintf("docker swarm join --advertise-addr %s --token %s %s:2377 >/dev/null",
			node.Address, s.on("m1", "docker swarm join-token -q "+role), m1.Address))
	}
	s.allBack()
}

// laterJoined restores a backup that does not know the nodes that m3 and w1 are,
// while their power is gone; then they come back with their disks.
func (s *swarm) laterJoined() {
	before := s.backedUp()
	s.anew("m3", "w1")
	s.restoredWithout("m3", "w1")
	s.comeBackAfter(before, "m3", "w1")
}

// newerRoot does so with nodes whose certificates are of a root CA that the backup
// does not know.
func (s *swarm) newerRoot() {
	before := s.backedUp()
	s.rotateRoot()
	s.restoredWithout("m3", "w1")
	s.comeBackAfter(before, "m3", "w1")
}

// newerRootAsked takes a living swarm back to before its root CA was rotated: no
// host keeps its certificates, and the plan says so of each.
func (s *swarm) newerRootAsked() {
	before := s.backedUp()
	s.rotateRoot()
	s.secret("m1", "newer")
	s.does("plan", "-restore=latest", "-out", "restore.plan")
	r := s.does("show", "restore.plan")
	if n := strings.Count(r.stdout, "of another root CA"); n < 3 {
		s.t.Errorf("of three hosts that stay, %d are said to have another root CA", n)
	}
	s.does("apply", "-digest", s.planDocument("restore.plan").Digest, "restore.plan")
	s.plansToTheEnd()
	s.recovered(before)
	if s.hasSecret("m1", "newer") {
		s.t.Error("the swarm was not taken back")
	}
}

// backedUp takes a backup, and tells what the swarm holds then.
func (s *swarm) backedUp() holdings {
	s.t.Helper()
	s.altered = true // node IDs and roots differ for good
	s.does("apply", "-auto-approve")
	s.allBack()
	return s.holdings("m1")
}

// rotateRoot gives the swarm a new root CA, and waits until every host has it.
func (s *swarm) rotateRoot() {
	s.t.Helper()
	s.on("m1", "timeout 120 docker swarm ca --rotate --quiet >/dev/null")
	const digest = "sha256sum </var/lib/docker/swarm/certificates/swarm-root-ca.crt"
	s.eventually(time.Minute, "every host to have the new root CA", func() (bool, error) {
		want := s.on("m1", "docker swarm ca | sha256sum")
		for _, n := range append([]string{"w1"}, managerNames...) {
			if out, err := s.lab.Run(s.ctx, n, digest); err != nil || strings.TrimSpace(out) != want {
				return false, err
			}
		}
		return true, nil
	})
	s.allBack()
}

// restoredWithout takes the power of nodes, gives the other managers new disks, and
// restores the newest backup without them.
func (s *swarm) restoredWithout(away ...string) {
	s.t.Helper()
	s.atOnce(away, func(n string) error { return s.lab.Break(s.ctx, n, lab.Crash, lab.BreakOptions{}) })
	var dead, lost []string
	for _, m := range managerNames {
		if slices.Contains(away, m) {
			dead = append(dead, fmt.Sprintf("%q", m))
		} else {
			lost = append(lost, m)
		}
	}
	s.loses(lost...)
	s.env = append(s.env, "RQ_TESTONLY_LOOKED_BEFORE=150s")
	rules := "\n  assume_dead = [" + strings.Join(dead, ", ") + "]\n  restore_onto = \"m1\""
	s.edit("recovery {", "recovery {"+rules)
	s.recovers("restore", "m1")
	s.edit(rules, "")
	s.secret("m1", "after")
}

// comeBackAfter boots nodes with state that the restored swarm does not know. Until
// a plan is applied they lead nothing and the swarm works; the plans bring them
// back as new nodes, what they held is set aside, and what was written after the
// restore stays.
func (s *swarm) comeBackAfter(before holdings, away ...string) {
	s.t.Helper()
	s.atOnce(away, func(n string) error { return s.lab.Heal(s.ctx, n) })
	s.t.Logf("m3 says: %s", s.on("m3", "timeout 10 docker info -f '{{json .Swarm}}' 2>&1; timeout 10 docker node ls 2>&1; true"))
	s.t.Logf("w1 says: %s", s.on("w1", "timeout 10 docker info -f '{{json .Swarm}}' 2>&1; journalctl -u docker -n 15 --no-pager | cut -c1-300; true"))
	begin := time.Now()
	s.run("plan")
	s.planUntilWhole()
	s.plansToTheEnd()
	s.t.Logf("whole %.0f s after they came back: %s", time.Since(begin).Seconds(), s.on("m1", "docker node ls"))
	s.recovered(before)
	if !s.hasSecret("m3", "after") {
		s.t.Error("what was written after the restore was lost when nodes from before it came back")
	}
	if s.on("m3", "ls /var/lib/docker/swarm.requeen-*/raft/*/*.wal 2>/dev/null; true") == "" {
		s.t.Error("m3's newer state is nowhere")
	}
}

// newerRootMajority has two managers that were assumed dead come back with a newer
// root CA: they are a quorum, which the restored swarm can't evict, since neither
// trusts the other. plan says that there are two swarms, and plans nothing; the older
// line is stopped by hand, as it says, and then joined.
func (s *swarm) newerRootMajority() {
	before := s.backedUp()
	s.rotateRoot()
	s.restoredWithout("m2", "m3")
	s.atOnce([]string{"m2", "m3"}, func(n string) error { return s.lab.Heal(s.ctx, n) })
	s.eventually(2*time.Minute, "the old majority to have a leader", func() (bool, error) {
		list, err := s.managers("m2")
		return err == nil && strings.Contains(fmt.Sprint(list), "leader"), nil
	})
	s.eventually(2*time.Minute, "plan to say that there are two swarms", func() (bool, error) {
		p := s.planFile("split.plan")
		if len(p.Steps) > 0 {
			return false, fmt.Errorf("with two swarms the plan has %+v", p.Steps)
		}
		return p.Condition.Name == "split" || p.Condition.Name == "forked", nil
	})
	if !s.hasSecret("m1", "after") {
		s.t.Error("the old line took the restored swarm over")
	}
	s.atOnce([]string{"m2", "m3"}, func(n string) error { _, err := s.lab.Run(s.ctx, n, stopEngine); return err })
	s.planUntilWhole()
	s.plansToTheEnd()
	s.recovered(before)
	if !s.hasSecret("m3", "after") {
		s.t.Error("what was written after the restore was lost when an old majority came back")
	}
}
