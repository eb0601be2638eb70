//go:build lab

package scenario

import (
	"os"
	"path/filepath"
	"strings"
)

// everyNode is the swarm of three with its worker.
var everyNode = []string{"m1", "m2", "m3", "w1"}

// writersFiles are where the writers' lines are, by node. The first of them names the
// task that wrote it, so that it comes back out of a backup alone.
var writersFiles = map[string]string{"w1": "/var/lib/docker/volumes/ledger/_data/log", "m3": "/var/lib/agent/log"}

// lost has every disk come back new and the bucket emptied: the swarm, its data and its
// timers are back out of the copy.
func (k *kept) lost() {
	had, first := k.holdings("m1"), map[string]string{}
	for node, file := range writersFiles {
		first[node] = k.on(node, "head -n 1 "+file)
	}
	k.losesAll()
	p := k.planFile("recovery.plan")
	if p.Recovery != nil || len(p.Unmet) == 0 || !strings.Contains(p.Unmet[0].Reason, "slow could not be read when backup") {
		k.t.Errorf("the backup went on without directory.slow, and the plan says %+v", p.Unmet)
	}
	p = k.planFile("recovery.plan", "-exclude=directory.slow,directory.stuck")
	if p.Recovery == nil || p.Recovery.Rung != "restore" || p.Recovery.Repository != "nas" {
		k.t.Fatalf("the bucket is empty, and the restore is %+v", p.Recovery)
	}
	k.does("apply", "-digest", p.Digest, "recovery.plan")
	k.plansToTheEnd() // what knows no swarm any more joins, and backups are made
	k.recovered(had)
	k.writersRun()
	k.nothingToDo()
	for node, file := range writersFiles {
		if have := k.on(node, "head -n 1 "+file); have != first[node] {
			k.t.Errorf("%s of %s began with %q, and begins with %q", file, node, first[node], have)
		}
	}
	for node, name := range scheduledOn {
		if out := k.on(node, "systemctl is-active "+k.unit(name)+".timer; systemctl is-enabled "+k.unit(name)+".timer"); out != "active\nenabled" {
			k.t.Errorf("the timer of %s on %s is %s", name, node, out)
		}
	}
}

// losesAll ends every node at once, empties the bucket, and boots hosts that hold
// nothing of a swarm, its data and its timers.
func (k *kept) losesAll() {
	k.t.Helper()
	k.atOnce(everyNode, func(n string) error {
		_, err := k.lab.Run(k.ctx, n, "rm -rf /etc/systemd/system/requeen-schedule-* /etc/systemd/system/*/requeen-schedule-* /var/lib/requeen"+
			map[string]string{"m3": "; mv /var/lib/agent /var/lib/agent.lost", "w1": "; mv /var/lib/dump /var/lib/dump.lost"}[n]) // which is written to
		return err
	})
	must(k.t, os.RemoveAll(k.bucket))
	k.powerCut(everyNode, func(n string) error {
		for _, dir := range []string{"swarm", "volumes", "containers"} {
			found, err := filepath.Glob(k.lab.Disk(n, dir+"*"))
			for _, dir := range found {
				if err == nil {
					err = os.RemoveAll(dir)
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
