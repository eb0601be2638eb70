//go:build lab

package scenario

import (
	"fmt"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/lab"
)

// The ways in which a host can have its swarm directory elsewhere, each with what
// it takes while the engine is down; fstab has mounts last over boots.
var elsewhere = map[string]string{
	"mount": `mkdir -m 700 /var/lib/docker/kept && mv /var/lib/docker/swarm/* /var/lib/docker/kept/
		echo "/var/lib/docker/kept /var/lib/docker/swarm none bind 0 0" >>/etc/fstab
		mount --bind /var/lib/docker/kept /var/lib/docker/swarm`,
	"link": `mv /var/lib/docker/swarm /var/lib/docker/kept && ln -s /var/lib/docker/kept /var/lib/docker/swarm`,
	"other file system": `mv /var/lib/docker/swarm /var/lib/docker/moved && mkdir -m 700 /var/lib/docker/swarm
		echo "tmpfs /var/lib/docker/swarm tmpfs mode=0700,size=512m 0 0" >>/etc/fstab
		mount -t tmpfs -o mode=0700,size=512m tmpfs /var/lib/docker/swarm
		mv /var/lib/docker/moved/* /var/lib/docker/swarm/ && rmdir /var/lib/docker/moved`,
}

// keptElsewhere moves the swarm directory of a node, which then works as before.
// The swarm is put back for the next story, since a recovery leaves mounts and
// links alone.
func (s *swarm) keptElsewhere(node, how string) {
	s.t.Helper()
	s.altered = true
	s.on(node, "set -e\n"+stopEngine+"\n"+elsewhere[how]+"\nsystemctl reset-failed docker.service\nsystemctl start docker.service docker.socket")
	s.allBack()
}

// stillElsewhere says that a recovery kept the mount or the link, that the swarm is
// behind it, and whether the state of before is beside it.
func (s *swarm) stillElsewhere(node, how string) {
	s.t.Helper()
	test := map[string]string{
		"mount":             "mountpoint -q /var/lib/docker/swarm && test -s /var/lib/docker/kept/docker-state.json",
		"link":              `test "$(readlink /var/lib/docker/swarm)" = /var/lib/docker/kept && test -s /var/lib/docker/kept/docker-state.json`,
		"other file system": "mountpoint -q /var/lib/docker/swarm && test -s /var/lib/docker/swarm/docker-state.json",
	}[how]
	if _, err := s.lab.Run(s.ctx, node, test); err != nil {
		s.t.Errorf("%s: the recovery did away with the %s: %v", node, how, err)
	}
	left := s.on(node, "ls -d /var/lib/docker/swarm/.requeen-*.new /var/lib/docker/kept.requeen-*.new /var/lib/docker/kept/.requeen-*.new 2>/dev/null; true")
	if left != "" {
		s.t.Errorf("%s: prepared directories are left:\n%s", node, left)
	}
}

// asideAt says that what a recovery set aside on a node is at a path, and listed.
func (s *swarm) asideAt(node, path string) {
	s.t.Helper()
	s.on(node, "ls "+path+"/raft/*/*.wal "+path+"/certificates/swarm-node.key")
	if r := s.run("status"); !strings.Contains(strings.Join(strings.Fields(r.stdout), ""), path) {
		s.t.Errorf("status does not list %s of %s:\n%s", path, node, r.stdout)
	}
}

// asOps has requeen connect as a user who is not root.
func (s *swarm) asOps() {
	s.t.Helper()
	for _, name := range append([]string{"w1"}, managerNames...) {
		n, err := s.lab.Node(name)
		must(s.t, err)
		s.edit(`    ssh = "root@`+n.Address+`"`, `    ssh    = "ops@`+n.Address+"\"\n    become = \"sudo\"")
	}
}

// emptied is a node's disk whose mounts and links are as before, and lead to
// nothing of a swarm.
func (s *swarm) emptied(node string) error {
	_, err := s.lab.Run(s.ctx, node, stopEngine+"\nrm -rf /var/lib/docker/swarm/* /var/lib/docker/swarm.* /var/lib/docker/kept.*\nsystemctl reset-failed docker.service\nsystemctl start docker.service docker.socket")
	return err
}

// forcedElsewhere has the survivor's swarm directory, and those of the managers
// that join again, at the three places, and is driven by a user who has sudo.
func (s *swarm) forcedElsewhere(survivor string, how [3]string) {
	before := s.holdings("m1")
	for i, n := range managerNames {
		s.keptElsewhere(n, how[i])
	}
	s.asOps()
	lost := slices.DeleteFunc(slices.Clone(managerNames), func(n string) bool { return n == survivor })
	s.atOnce(lost, s.emptied)
	p := s.recovers("force_new_cluster", survivor)
	s.recovered(before, survivor, "w1")
	for i, n := range managerNames {
		s.stillElsewhere(n, how[i])
		if n == survivor {
			s.asideAt(n, asideBeside(how[i], p))
		}
	}
	s.nextPlanBacksUp()
}

// asideBeside is where a recovery sets the state aside: beside a directory, also one
// behind a link, and inside of a mount.
func asideBeside(how string, p recoveryPlan) string {
	if how == "link" {
		return "/var/lib/docker/kept.requeen-" + p.Recovery.ID
	}
	return "/var/lib/docker/swarm/.requeen-" + p.Recovery.ID
}

func (s *swarm) forcedFromMount() {
	s.forcedElsewhere("m1", [3]string{"mount", "link", "other file system"})
}

func (s *swarm) forcedFromLink() {
	s.forcedElsewhere("m1", [3]string{"link", "other file system", "mount"})
}

// restoredElsewhere restores into each kind of directory in turn, the last time out
// of what the one before has made.
func (s *swarm) restoredElsewhere() {
	how := [3]string{"mount", "link", "other file system"}
	for i, n := range managerNames {
		s.keptElsewhere(n, how[i])
	}
	s.asOps()
	s.does("apply", "-auto-approve")
	s.allBack()
	onto := ""
	for i, n := range managerNames {
		before := s.holdings("m1")
		s.atOnce(managerNames, s.emptied)
		next := fmt.Sprintf("\n  restore_onto = %q", n)
		s.edit("recovery {"+onto, "recovery {"+next)
		onto = next
		s.recovers("restore", n)
		s.recovered(before, "w1")
		s.stillElsewhere(n, how[i])
		s.nextPlanBacksUp()
	}
}

// noRoom asks for a restore of a living swarm onto a host whose disk is full: plan
// says so; a plan from before is refused by the host; so is one where only the file
// system of the swarm directory is full, which plan does not see; and no engine was
// stopped.
func (s *swarm) noRoom() {
	s.does("apply", "-auto-approve")
	s.allBack()
	s.secret("m1", "newer")
	node := s.backups()[0].Node
	s.does("plan", "-restore=latest", "-out", "restore.plan")
	must(s.t, s.lab.Break(s.ctx, node, lab.FullDisk, lab.BreakOptions{}))
	healed := false
	heal := func() {
		if !healed {
			healed = true
			must(s.t, s.lab.Heal(s.ctx, node))
		}
	}
	s.t.Cleanup(heal)
	s.allBack()
	running := s.invocations()
	if r := s.run("plan", "-restore=latest"); !strings.Contains(r.both(), "RQ203") {
		s.t.Errorf("plan does not say that %s has no room:\n%s", node, r.both())
	}
	s.refuses([]string{node}, "apply", "-digest", s.planDocument("restore.plan").Digest, "restore.plan")
	const requeens = " /var/lib/requeen" // on the full disk too
	s.on(node, "umount"+requeens)
	s.does("plan", "-restore=latest", "-out", "restore.plan")
	s.refuses([]string{node, "bytes are free below"}, "apply", "-digest", s.planDocument("restore.plan").Digest, "restore.plan")
	s.on(node, "mount --bind /run/requeen-lab/full/requeen"+requeens)
	if now := s.invocations(); now != running {
		s.t.Errorf("a restore that was refused stopped an engine: it was\n%s\nand is\n%s", running, now)
	}
	s.allBack()
	heal()
	s.allBack()
	if !s.hasSecret("m1", "newer") {
		s.t.Error("a restore that was refused took the swarm back")
	}
	s.nothingHeld()
	s.nothingToDo()
	s.on("m1", "docker secret rm newer")
}

// invocations tell whether an engine was stopped or started in between.
func (s *swarm) invocations() string {
	s.t.Helper()
	var list []string
	for _, n := range managerNames {
		list = append(list, n+" "+s.on(n, "systemctl show -p InvocationID --value docker.service"))
	}
	return strings.Join(list, "\n")
}
