//go:build lab

package scenario

import (
	"os"
	"strings"
	"syscall"
	"time"
)

// cutWhileRead kills apply while the hosts of two nodes are reading what is large, and
// goes on from the journal, or without it by a new plan: no process is left on a host,
// everybody is at his scale, and there is one backup more.
func (k *kept) cutWhileRead() {
	k.on("w1", "head -c 300M /dev/urandom >/var/lib/docker/volumes/ledger/_data/large")
	k.on("m3", "head -c 300M /dev/urandom >/var/lib/agent/large")
	for _, journal := range []bool{true, false} {
		offsite, _ := k.lists()
		p := k.planFile("large.plan", "-backup")
		cmd := k.command(nil, "apply", "-digest", p.Digest, "large.plan")
		must(k.t, cmd.Start())
		k.eventually(2*time.Minute, "both nodes to be read at once", func() (bool, error) {
			return k.reads("w1") && k.reads("m3"), nil
		})
		must(k.t, cmd.Process.Signal(syscall.SIGKILL))
		_ = cmd.Wait()
		if out := k.on("m1", "docker service ls --format '{{.Name}} {{.Replicas}}'"); !strings.Contains(out, "ledger 0/0") {
			k.t.Errorf("apply was killed while ledger was at rest, and it is at its scale:\n%s", out)
		}
		if journal {
			k.does("apply", "-digest", p.Digest, "large.plan")
		} else {
			must(k.t, os.RemoveAll(k.journal))
			k.plansToTheEnd()
			k.does("apply", "-backup", "-auto-approve")
		}
		k.writersRun()
		k.allBack()
		if k.reads("w1") || k.reads("m3") {
			k.t.Error("a host still reads for a run that was killed")
		}
		k.bothHold(len(offsite) + 1)
		k.nothingToDo()
		k.nothingLeft()
	}
}

// reads tells whether a node's tar is at work.
func (k *kept) reads(node string) bool {
	out, _ := k.lab.Run(k.ctx, node, "for f in /proc/[0-9]*/comm; do read -r name <$f && [ \"$name\" = tar ] && echo reads; done 2>/dev/null; true")
	return strings.Contains(out, "reads")
}
