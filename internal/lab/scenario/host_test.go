//go:build lab

package scenario

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// startLimit uses systemd's three starts a minute up before the backup: the
// backup's own start must not be refused.
func (s *swarm) startLimit() {
	s.does("plan", "-out", "backup.plan")
	node := s.plannedNode("backup.plan")
	s.on(node, `systemctl reset-failed docker.service
		for i in 1 2 3; do systemctl stop docker.socket docker.service; systemctl start docker.service docker.socket || exit 1; done`)
	s.allBack()
	s.does("apply", "-auto-approve")
	s.allBack()
	s.oneVerifiedBackup()
	s.nothingLeft()
}

// unitKilled kills the detached unit and apply while the engine is down: the
// timer on the host is all that is left, and starts it again.
func (s *swarm) unitKilled() {
	for _, name := range []string{"m1", "m2", "m3"} {
		n, err := s.lab.Node(name)
		must(s.t, err)
		s.edit(`    ssh = "root@`+n.Address+"\"\n  }", `    ssh = "root@`+n.Address+"\"\n  }\n\n  engine {\n    down_max = \"30s\"\n  }")
	}
	s.does("plan", "-out", "backup.plan")
	node := s.plannedNode("backup.plan")
	cmd, _ := s.applyWithSlowCopy(node)
	must(s.t, cmd.Process.Kill())
	_ = cmd.Wait()
	s.on(node, `systemctl kill -s KILL 'requeen-backup-*.service'`)
	s.letCopiesGo(node)
	if s.autolock { // the timer starts it, and the key died with the unit
		s.eventually(2*time.Minute, "the timer to start the locked engine", func() (bool, error) {
			out, err := s.lab.Run(s.ctx, node, "docker info --format '{{.Swarm.LocalNodeState}}' 2>/dev/null || true")
			return strings.TrimSpace(out) == "locked", err
		})
	} else {
		s.allBack() // by the timer
	}
	s.does("apply", "-auto-approve")
	s.allBack()
	s.oneVerifiedBackup()
	s.nothingLeft()
	s.nothingToDo()
}

// applyWithSlowCopy applies backup.plan, and returns when the engine is down
// and its copy, which lasts until letCopiesGo, has begun.
func (s *swarm) applyWithSlowCopy(node string) (*exec.Cmd, *bytes.Buffer) {
	s.t.Helper()
	s.on(node, `mkdir -p /usr/local/sbin
		printf '#!/bin/sh\ncase "$*" in *sparse*) touch /run/slow-copy; while [ -e /usr/local/sbin/cp ]; do sleep 0.2; done;; esac\nexec /bin/cp "$@"\n' >/usr/local/sbin/cp
		chmod 755 /usr/local/sbin/cp`)
	cmd := s.command(nil, "apply", "backup.plan")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	must(s.t, cmd.Start())
	s.eventually(time.Minute, "the copy to begin", func() (bool, error) {
		text, err := s.lab.Run(s.ctx, node, "ls /run/slow-copy 2>/dev/null || true")
		return strings.TrimSpace(text) != "", err
	})
	return cmd, &out
}

func (s *swarm) letCopiesGo(node string) {
	s.t.Helper()
	s.on(node, "rm -f /usr/local/sbin/cp /run/slow-copy")
}

// keyRotated rotates the unlock key while the manager is down, and kills apply:
// the host unlocks with the key of the stop, and the copy, which no live
// manager's key opens any more, is opened with the one that the host kept
// encrypted.
func (s *swarm) keyRotated() {
	text, err := os.ReadFile(filepath.Join(s.dir, "lab.rq.hcl"))
	must(s.t, err)
	s.configure(unlockKeyLine.ReplaceAllString(string(text), ""))
	leader := s.leader()
	s.does("plan", "-out", "backup.plan")
	node := s.plannedNode("backup.plan")
	cmd, _ := s.applyWithSlowCopy(node)
	s.on(leader, "docker swarm unlock-key --rotate -q >/dev/null")
	must(s.t, cmd.Process.Kill())
	_ = cmd.Wait()
	s.letCopiesGo(node)
	s.allBack() // without help
	s.does("apply", "-auto-approve")
	s.oneVerifiedBackup()
	s.nothingLeft()
	s.nothingToDo()
}
