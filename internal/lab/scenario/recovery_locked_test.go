//go:build lab

package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// locks makes the swarm auto-locked for a story, and gives the configuration the
// key.
func (s *swarm) locks() (key string) {
	s.t.Helper()
	s.on("m1", "docker swarm update --autolock=true >/dev/null")
	s.t.Cleanup(func() { _, _ = s.lab.Run(s.ctx, "m1", "timeout 20 docker swarm update --autolock=false") })
	key = s.on("m1", "docker swarm unlock-key -q")
	must(s.t, os.WriteFile(filepath.Join(s.dir, "unlock-key"), []byte(key+"\n"), 0o600))
	s.edit("cluster \""+s.lab.Name()+"\" {", "cluster \""+s.lab.Name()+"\" {\n  unlock_key = file(\"unlock-key\")")
	s.sealed()
	return key
}

// sealed waits until the node key of every manager is sealed.
func (s *swarm) sealed() {
	s.t.Helper()
	s.eventually(time.Minute, "every node key to be sealed", func() (bool, error) {
		for _, m := range managerNames {
			out, err := s.lab.Run(s.ctx, m, "grep -c 'ENCRYPTED' /var/lib/docker/swarm/certificates/swarm-node.key || true")
			if err != nil || strings.TrimSpace(out) == "0" {
				return false, err
			}
		}
		return true, nil
	})
}

// lockedAgain says that the swarm is auto-locked with the key that it had, which
// nothing has printed.
func (s *swarm) lockedAgain(key string) {
	s.t.Helper()
	if now := s.on("m1", "docker swarm unlock-key -q"); now != key {
		s.t.Error("the swarm has another unlock key, or none")
	}
	s.sealed()
}

func (s *swarm) lockedPowerFails() {
	key := s.locks()
	leader := s.leader()
	before := s.holdings("m1")
	s.powerCut(managerNames, func(n string) error {
		if n == leader {
			return nil
		}
		return s.newDisk(n)
	})
	s.recovers("force_new_cluster", leader)
	s.recovered(before, leader, "w1")
	s.lockedAgain(key)
}

func (s *swarm) lockedAllStopped() {
	key := s.locks()
	before := s.holdings("m1")
	s.powerCut(managerNames, func(string) error { return nil })
	s.recovers("start", "")
	s.recovered(before, "m1", "m2", "m3", "w1")
	s.lockedAgain(key)
}

// lockedAllReplaced restores an auto-locked swarm, which makes its key anew by
// default where there is a place for it.
func (s *swarm) lockedAllReplaced() {
	key := s.locks()
	s.does("apply", "-auto-approve")
	s.allBack()
	s.edit("recovery {\n", "recovery {\n"+pipedKey)
	before := s.holdings("m1")
	s.loses(managerNames...)
	s.recovers("restore", "")
	s.recovered(before, "w1")
	s.keptAnew(key)
}

// lockedFencedReturn has no engine remember an auto-locked swarm: the managers
// that are fenced come back with their certificates, whose keys were sealed. The
// backup is made by the very run that made the key anew and had the old one in memory.
func (s *swarm) lockedFencedReturn() {
	key := s.locks()
	s.edit("recovery {\n", "recovery {\n  rotate_unlock_key = true\n"+pipedKey)
	before := s.holdings("m1")
	s.powerCut(managerNames, func(n string) error { return os.Remove(s.lab.Disk(n, "swarm", "docker-state.json")) })
	s.recovers("force_new_cluster", "")
	s.recovered(before, "m1", "m2", "m3", "w1")
	s.opensWith(s.keptAnew(key))
}
