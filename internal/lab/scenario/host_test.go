//go:build lab

package scenario

import (
	"bytes"
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
	// A copy that takes its time, so that the unit can be killed in its middle.
	s.on(node, `mkdir -p /usr/local/sbin; printf '#!/bin/sh\ncase "$*" in *sparse*) touch /run/slow-copy; exec sleep 600;; esac\nexec /bin/cp "$@"\n' >/usr/local/sbin/cp && chmod 755 /usr/local/sbin/cp`)
	cmd := s.command(nil, "apply", "backup.plan")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	must(s.t, cmd.Start())
	s.eventually(time.Minute, "the copy to begin", func() (bool, error) {
		text, err := s.lab.Run(s.ctx, node, "ls /run/slow-copy 2>/dev/null || true")
		return strings.TrimSpace(text) != "", err
	})
	must(s.t, cmd.Process.Kill())
	_ = cmd.Wait()
	s.on(node, `systemctl kill -s KILL 'requeen-backup-*.service'; rm /usr/local/sbin/cp /run/slow-copy`)
	s.allBack() // by the timer
	s.does("apply", "-auto-approve")
	s.allBack()
	s.oneVerifiedBackup()
	s.nothingLeft()
	s.nothingToDo()
}
