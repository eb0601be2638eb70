//go:build lab

package scenario

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// finishing is what a recovery block says of its end: commands that tell what they
// are told, one of which fails until the shop is open.
const finishing = `  rotate_unlock_key = true
  unlock_key_to {
    file = "keys/unlock-key.age"
  }
  verify = [
    "echo recovery $RQ_RECOVERY of $RQ_CLUSTER by $RQ_MANAGER at $RQ_MANAGER_ADDRESS",
    "test -e open || { echo the shop is closed; exit 7; }",
  ]
`

// lockedRotates loses an auto-locked swarm's quorum: one disk is new, one manager
// forgot its swarm. The recovery ends with another unlock key and with commands, of
// which one fails; the next apply goes on, and its backup is sealed with the new key.
func (s *swarm) lockedRotates() {
	old := s.locks()
	s.edit("recovery {\n", "recovery {\n"+finishing)
	leader, before := s.leader(), s.holdings("m1")
	var others []string
	for _, m := range managerNames {
		if m != leader {
			others = append(others, m)
		}
	}
	s.powerCut(managerNames, func(n string) error {
		switch n {
		case others[0]:
			return s.newDisk(n)
		case others[1]:
			return os.Remove(s.lab.Disk(n, "swarm", "docker-state.json"))
		}
		return nil
	})
	p := s.plans("force_new_cluster", "")                                      // either of the two logs may be the further one
	s.refuses([]string{"keys"}, "apply", "-digest", p.Digest, "recovery.plan") // nothing was changed: there is no such directory
	must(s.t, os.Mkdir(filepath.Join(s.dir, "keys"), 0o700))
	told := "recovery " + p.Recovery.ID + " of " + s.lab.Name() + " by " + p.Recovery.Node
	r := s.refuses([]string{"RQ413", "the shop is closed", "status 7"}, "apply", "-digest", p.Digest, "recovery.plan")
	if !strings.Contains(strings.Join(strings.Fields(r.stdout), " "), told) {
		s.t.Errorf("no line %q in\n%s", told, r.stdout)
	}
	if stopped := s.backups(); len(stopped) > 0 && stopped[0].Kind != "safety" {
		s.t.Errorf("a backup was made of a swarm that does not serve: %+v", stopped)
	}
	must(s.t, os.WriteFile(filepath.Join(s.dir, "open"), nil, 0o600))
	begin := time.Now()
	s.does("apply", "-auto-approve")
	s.t.Logf("what was left took %.1f s", time.Since(begin).Seconds())
	s.recovered(before, leader, others[1], "w1")
	key := s.lockedAnew(old)
	out, err := exec.Command("age", "-d", "-i", filepath.Join(s.lab.Dir(), "identity.txt"), filepath.Join(s.dir, "keys", "unlock-key.age")).Output()
	if err != nil || string(out) != key {
		s.t.Errorf("the key's file does not hold the swarm's key: %v", err)
	}
	info, err := os.Stat(filepath.Join(s.dir, "keys", "unlock-key.age"))
	if err != nil || info.Mode() != 0o600 {
		s.t.Errorf("the key's file: %v, %v", info, err)
	}
	s.opensWith(key)
	s.comesBackWith(key, old)
	s.nothingToDo()
}

// pipedKey has a command take the key.
const pipedKey = `  unlock_key_to {
    command = "umask 077; cat >delivered"
  }
`

// keptAnew says that the command was given the key that the swarm has now.
func (s *swarm) keptAnew(old string) (key string) {
	s.t.Helper()
	delivered, err := os.ReadFile(filepath.Join(s.dir, "delivered"))
	must(s.t, err)
	must(s.t, os.Remove(filepath.Join(s.dir, "delivered"))) // that is where the key may stand
	if key = s.lockedAnew(old); string(delivered) != key+"\n" {
		s.t.Error("the command was given another key than the swarm has")
	}
	return key
}

// lockedCutAtDelivery kills requeen when the key is made anew and not yet delivered.
// Without the journal the next plan delivers it.
func (s *swarm) lockedCutAtDelivery() {
	old := s.locks()
	s.edit("recovery {\n", "recovery {\n  rotate_unlock_key = true\n"+strings.Replace(pipedKey, "umask", "test -e cut || { touch cut; kill -9 $PPID; exit 1; }; umask", 1))
	before := s.holdings("m1")
	s.powerCut(managerNames, func(n string) error { return os.Remove(s.lab.Disk(n, "swarm", "docker-state.json")) })
	p := s.plans("force_new_cluster", "")
	if r := s.run("apply", "-digest", p.Digest, "recovery.plan"); r.status != -1 {
		s.t.Fatalf("apply was not killed: exit %d", r.status)
	}
	made := s.on("m1", "docker swarm unlock-key -q")
	must(s.t, os.RemoveAll(s.journal))
	next := s.planFile("next.plan")
	if next.Recovery == nil || len(next.Steps) == 0 || next.Steps[len(next.Steps)-1].Kind != "rotate-unlock-key" {
		s.t.Fatalf("the next plan does not deliver the key: %+v", next)
	}
	s.plansToTheEnd()
	s.recovered(before, "m1", "m2", "m3", "w1")
	if key := s.keptAnew(old); key != made {
		s.t.Error("the key was made anew twice")
	} else {
		s.opensWith(key)
	}
	s.nothingToDo()
}

// lockedAnew says that the swarm is auto-locked with another key than it had, and
// that the key stands nowhere in clear.
func (s *swarm) lockedAnew(old string) (key string) {
	s.t.Helper()
	s.sealed()
	if key = s.on("m1", "docker swarm unlock-key -q"); key == old || key == "" {
		s.t.Fatal("the swarm has its old unlock key, or none")
	}
	s.standsNowhere(key)
	return key
}

// opensWith says that the newest backup opens with the key, and gives the
// configuration that key.
func (s *swarm) opensWith(key string) {
	s.t.Helper()
	must(s.t, os.WriteFile(filepath.Join(s.dir, "unlock-key"), []byte(key+"\n"), 0o600))
	if list := s.backups(); len(list) == 0 || list[0].Kind == "safety" {
		s.t.Errorf("the newest backup is none of the new cluster: %+v", list)
	}
	if r := s.does("backup", "verify", "latest"); !strings.Contains(r.stdout, "verified: raft") {
		s.t.Errorf("backup verify with the new key says:\n%s", r.stdout)
	}
}

// comesBackWith restarts an engine: the old key does not unlock it, the new one does.
func (s *swarm) comesBackWith(key, old string) {
	s.t.Helper()
	s.on("m2", "systemctl restart docker")
	s.eventually(time.Minute, "m2 to be locked", func() (bool, error) {
		out, err := s.lab.Run(s.ctx, "m2", "docker info -f '{{.Swarm.LocalNodeState}}'")
		return strings.TrimSpace(out) == "locked", err
	})
	if out, err := s.lab.Run(s.ctx, "m2", "echo '"+old+"' | docker swarm unlock 2>&1"); err == nil {
		s.t.Errorf("m2 opens with the old key: %s", out)
	}
	s.on("m2", "echo '"+key+"' | docker swarm unlock")
	s.allBack()
}
