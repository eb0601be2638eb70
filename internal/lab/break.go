package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// How is a way in which a node breaks.
type How string

// The ways in which Break breaks a node.
const (
	Stop     How = "stop"      // its engine is stopped in an orderly way
	Crash    How = "crash"     // it loses its power; its disks stay
	CutOff   How = "cut"       // its cable is out, or some of its ways are
	Wipe     How = "wipe"      // its swarm directory is gone, as after a new disk
	FullDisk How = "full-disk" // no byte is free where the swarm's state and requeen's copies are
	Clock    How = "clock"     // what it says of the time is wrong
)

// Hows are the ways to break a node, in the order of the help.
var Hows = []How{Stop, Crash, CutOff, Wipe, FullDisk, Clock}

// BreakOptions are what some of the ways ask for.
type BreakOptions struct {
	From []string      // cut: CutAll, CutOperator, or names of nodes; default CutAll
	By   time.Duration // clock: how far it is ahead, behind where negative; default two hours
}

// Break breaks a node until Heal. A node that is broken is to be healed before
// it is broken in another way.
func (l *Lab) Break(ctx context.Context, node string, how How, o BreakOptions) error {
	if !slices.Contains(Hows, how) {
		return fmt.Errorf("a node can't be broken by %q; there are %s", how, howList())
	}
	st, n, err := l.node(node)
	if err != nil {
		return err
	}
	if n.Broken != "" {
		return fmt.Errorf("node %s is broken already (%s); heal it first: requeen lab heal%s %s", node, n.Broken, flagOf(l.name), node)
	}
	if pid, err := st.leader(node); err != nil || pid == 0 {
		return errors.Join(err, fmt.Errorf("node %s does not run; boot it: requeen lab up%s", node, flagOf(l.name)))
	}
	// Recorded first: what was half done is healed as well.
	if err := l.mark(ctx, node, how); err != nil {
		return err
	}
	switch how {
	case Stop:
		_, err = st.exec(ctx, node, stopEngine)
	case Crash:
		err = st.kill(ctx, node)
	case CutOff:
		err = l.Cut(ctx, node, o.From...)
	case Wipe:
		_, err = st.exec(ctx, node, stopEngine+"rm -rf /var/lib/docker/swarm\n"+startEngine)
	case FullDisk:
		_, err = st.exec(ctx, node, fillDisk)
	case Clock:
		if o.By == 0 {
			o.By = 2 * time.Hour
		}
		_, err = st.exec(ctx, node, fmt.Sprintf(turnClock, int64(o.By/time.Second)))
	}
	if err != nil {
		return fmt.Errorf("breaking node %s (%s): %w\nrequeen lab heal%s %s undoes what was done", node, how, err, flagOf(l.name), node)
	}
	return nil
}

// Heal undoes Break and Cut, and waits until the node's sshd and engine answer.
// What a wipe took does not come back: the node runs, and is in no swarm.
func (l *Lab) Heal(ctx context.Context, node string) error {
	st, n, err := l.node(node)
	if err != nil {
		return err
	}
	if len(n.Cut) > 0 {
		if err := l.cut(ctx, node, nil); err != nil {
			return err
		}
		if st, n, err = l.node(node); err != nil {
			return err
		}
	}
	if n.Broken == "" {
		return nil
	}
	switch n.Broken {
	case Crash, CutOff:
	case FullDisk:
		_, err = st.exec(ctx, node, emptyDisk)
	case Clock:
		_, err = st.exec(ctx, node, turnBack)
	default:
		_, err = st.exec(ctx, node, startEngine)
	}
	if err == nil {
		err = st.boot(ctx, n) // waits, and boots what does not run
	}
	if err != nil {
		return fmt.Errorf("healing node %s (%s): %w\nrequeen lab reset%s brings the whole lab back, where it has a snapshot", node, n.Broken, err, flagOf(l.name))
	}
	return l.mark(ctx, node, "")
}

// mark records how a node is broken.
func (l *Lab) mark(ctx context.Context, node string, how How) error {
	return l.locked(ctx, func(st *state) error {
		st.find(node).Broken = how
		return st.save()
	})
}

func howList() string {
	var list []string
	for _, h := range Hows {
		list = append(list, string(h))
	}
	return strings.Join(list, ", ")
}

// flagOf is what a command needs to find the lab.
func flagOf(name string) string {
	if name == DefaultName {
		return ""
	}
	return " -name " + name
}

const stopEngine = "set -e\nsystemctl stop docker.socket docker.service\n"

// startEngine also takes back the limit of three starts a minute.
const startEngine = "systemctl reset-failed docker.service docker.socket 2>/dev/null || true\nsystemctl start docker.service docker.socket\n"

// fillDisk puts the swarm's state and requeen's directory on a small file system
// of their own, in memory, and fills it once the engine runs.
const fillDisk = stopEngine + `
mkdir -p /run/requeen-lab/full /var/lib/requeen /var/lib/docker/swarm
size=$(du -s -B1 /var/lib/docker/swarm /var/lib/requeen | { t=0; while read -r n _; do t=$((t + n)); done; echo $t; })
mount -t tmpfs -o "size=$((size + 167772160)),mode=0700" requeen-lab-full /run/requeen-lab/full
cd /run/requeen-lab/full
mkdir swarm requeen
cp -a /var/lib/docker/swarm/. swarm/
cp -a /var/lib/requeen/. requeen/
chmod 700 swarm
mount --bind swarm /var/lib/docker/swarm
mount --bind requeen /var/lib/requeen
` + startEngine + `
i=0
until docker version >/dev/null 2>&1; do i=$((i + 1)); [ $i -lt 600 ] || exit 1; sleep 0.1; done
head -c 17179869184 /dev/zero >fill 2>/dev/null || true
`

// emptyDisk takes what was written on the small file system back to the disk.
const emptyDisk = stopEngine + `
if mountpoint -q /run/requeen-lab/full; then
	rm -f /run/requeen-lab/full/fill
	umount /var/lib/docker/swarm /var/lib/requeen
	rm -rf /var/lib/docker/swarm.healing
	cp -a --sparse=always /run/requeen-lab/full/swarm /var/lib/docker/swarm.healing
	rm -rf /var/lib/docker/swarm
	mv /var/lib/docker/swarm.healing /var/lib/docker/swarm
	cp -a /run/requeen-lab/full/requeen/. /var/lib/requeen/
	umount /run/requeen-lab/full
fi
` + startEngine

// turnClock has date tell another time. The kernel's clock is the machine's own,
// so that the engine's certificates and timers go on as they were: the lie is
// for who asks the host, as requeen does.
const turnClock = `set -e
mkdir -p /run/requeen-lab
cp /usr/bin/date /run/requeen-lab/date
printf '#!/bin/sh\nexec /run/requeen-lab/date -d "%d seconds" "$@"\n' >/run/requeen-lab/turned
chmod 755 /run/requeen-lab/turned
mount --bind /run/requeen-lab/turned /usr/bin/date
`

const turnBack = "umount /usr/bin/date 2>/dev/null || true\n"
