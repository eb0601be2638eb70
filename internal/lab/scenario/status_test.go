//go:build lab

package scenario

import (
	"strings"
	"testing"
	"time"
)

// testStatus looks at a swarm that is due, fine, degraded, masked, and fine
// again, by the exit status that monitoring sees and the words of a person.
func testStatus(t *testing.T, s *swarm) {
	s.fresh(t)
	s.says(2, "status", "is healthy: 3 of 3 managers up, quorum 2, 1 to spare", "Backup state is due", "-> requeen apply")
	s.does("apply", "-auto-approve")
	s.allBack()
	s.says(0, "status", "Nothing needs a hand.") // the identity is at hand: it was opened after it was stored
	s.does("backup", "verify", "latest")

	follower := "m3"
	if s.leader() == follower {
		follower = "m2"
	}
	s.on(follower, "cp -a /var/lib/docker/swarm/certificates /tmp/c && mkdir /var/lib/docker/swarm.old && mv /tmp/c /var/lib/docker/swarm.old/certificates")
	s.says(0, "status", "/var/lib/docker/swarm.old on "+follower+" holds certificates of the swarm")
	s.on(follower, "rm -rf /var/lib/docker/swarm.old; systemctl stop docker.socket docker.service; systemctl mask docker.service")
	s.says(2, "status", "is degraded: 2 of 3 managers up, quorum 2, none to spare", "docker.service of "+follower+" is masked")
	s.on(follower, "systemctl unmask docker.service; systemctl start docker.socket docker.service")
	s.allBack()
	s.says(0, "status", "Nothing needs a hand.")
}

// says waits until a command ends with the status and all of the words.
func (s *swarm) says(status int, command string, words ...string) {
	s.t.Helper()
	var last result
	s.eventually(time.Minute, "requeen "+command+" to say "+strings.Join(words, ", "), func() (bool, error) {
		last = s.run(command)
		for _, w := range words {
			if !strings.Contains(last.stdout, w) {
				return false, nil
			}
		}
		return last.status == status, nil
	})
}
