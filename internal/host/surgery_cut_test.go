package host

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
)

// cutter takes the place of a tool: when its turn has come it kills the script
// that called it, without having done anything.
const cutter = `#!/bin/sh
tool=${0##*/} turn=1
case "$tool $*" in
'systemctl is-active'* | 'systemctl show'* | *--help | *'/state/lock'* | *'/state') turn= ;; # of the lock, or looking only
esac
if [ -n "$turn" ] && [ -f "$FAKE/cut" ]; then
	read -r left <"$FAKE/cut"
	left=$((left - 1))
	echo $left >"$FAKE/cut"
	if [ $left -eq 0 ]; then
		p=$$
		while :; do
			s=$(cat /proc/$p/stat)
			s=${s##*) }
			s=${s#* }
			up=${s%%%% *}
			[ "$up" = %d ] && break
			p=$up
		done
		kill -9 $p
		kill -9 $$
	fi
fi
if [ -x "$FAKE/uncut/$tool" ]; then exec "$FAKE/uncut/$tool" "$@"; fi
PATH=$REAL_PATH exec "$tool" "$@"
`

// cuttable counts the calls of what changes something.
func (o *operation) cuttable(parent int) {
	for _, tool := range []string{"mv", "rm", "rmdir", "mkdir", "chmod", "cp", "tar", "systemctl"} {
		if exists(o.path("bin/" + tool)) {
			write(o.t, o.path("uncut/"+tool), read(o.t, o.path("bin/"+tool)), 0o755)
		}
		write(o.t, o.path("bin/"+tool), fmt.Sprintf(cutter, parent), 0o755)
	}
}

// ended is what two hosts on which the same was done have in common.
func (o *operation) ended() string {
	o.t.Helper()
	r := o.recovery()
	r.Aside, r.Staged = strings.TrimPrefix(r.Aside, o.dir), strings.TrimPrefix(r.Staged, o.dir)
	return fmt.Sprintf("%+v, service %s, socket %s, drop-ins %q, data %q", r, o.is("docker.service"), o.is("docker.socket"),
		files(o.t, o.path("systemd")), o.everything())
}

// everything is each file below the data root with its text.
func (o *operation) everything() []string {
	var list []string
	for _, name := range files(o.t, o.path("docker")) {
		list = append(list, name+": "+strings.Trim(read(o.t, o.path("docker/"+name)), "\x00"))
	}
	if inside := o.swarm + "/.requeen-r1"; exists(inside) {
		list = append(list, files(o.t, inside)...)
	}
	return list
}

// Whatever command a script is killed at, the same command again ends as it does
// without the kill, and in between no engine with a torn directory can start.
func TestCutAnywhere(t *testing.T) {
	ctx := context.Background()
	nothing := func(*operation) {}
	mounted := func(o *operation) { o.mounted() }
	ready := func(o *operation) { o.stage(); o.hold() }
	steps := map[string]struct {
		before func(*operation)
		run    func(*operation) error
		torn   bool // the engine must stay down in between
		from   int  // the first cut; a hold's are tried under that name
	}{
		"hold":         {nothing, func(o *operation) error { return o.host.Hold(ctx, o.s) }, false, 1},
		"fence":        {nothing, func(o *operation) error { _, err := o.host.Fence(ctx, o.s); return err }, false, 10},
		"fence inside": {mounted, func(o *operation) error { _, err := o.host.Fence(ctx, o.s); return err }, false, 10},
		"stage": {nothing, func(o *operation) error {
			return o.host.Stage(ctx, o.s, 1, strings.NewReader(string(prepared(o.t))))
		}, false, 1},
		"swap": {ready, func(o *operation) error { _, err := o.host.Swap(ctx, o.s); return err }, true, 1},
		"swap inside": {func(o *operation) { o.mounted(); ready(o) },
			func(o *operation) error { _, err := o.host.Swap(ctx, o.s); return err }, true, 1},
		"lift": {func(o *operation) { o.fence() }, func(o *operation) error { return o.host.Lift(ctx, o.s) }, false, 1},
		"node key": {func(o *operation) { o.hold() },
			func(o *operation) error { return o.host.ReplaceNodeKey(ctx, o.s, []byte("new")) }, true, 1},
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			o := newOperation(t)
			step.before(o)
			o.snapshot()
			o.restore(1_000_000)
			o.must(step.run(o))
			want := o.ended()
			for cut := step.from; ; cut++ {
				o.restore(cut)
				err := step.run(o)
				if left := strings.TrimSpace(read(t, o.path("cut"))); !strings.HasPrefix(left, "0") && !strings.HasPrefix(left, "-") {
					if err != nil || cut < step.from+4 {
						t.Errorf("cut %d was not reached: %v", cut, err)
					}
					break
				}
				if err == nil {
					t.Errorf("cut %d went unseen", cut)
				}
				o.between(cut, step.torn)
				if err := step.run(o); err != nil {
					t.Errorf("cut %d, and again: %v", cut, err)
				} else if got := o.ended(); got != want {
					t.Errorf("cut %d, and again:\n got %s\nwant %s", cut, got, want)
				}
			}
		})
	}
}

// between looks at what a cut left. An engine that is down must be held or as it
// was, and where docker-state.json is in place all that belongs to it is.
func (o *operation) between(cut int, torn bool) {
	o.t.Helper()
	if torn {
		o.down()
	}
	if !exists(o.swarm + "/docker-state.json") {
		return
	}
	if !exists(o.swarm+"/raft/wal-v3-encrypted/0-0.wal") || !exists(o.swarm+"/certificates/swarm-node.crt") {
		o.t.Errorf("cut %d left a docker-state.json and not all that it needs", cut)
	}
	status, _ := os.ReadFile(o.path("state/recoveries/r1/status"))
	if strings.Contains(string(status), "fenced ") {
		o.t.Errorf("cut %d left docker-state.json in its place, and the host passes for fenced", cut)
	}
}

// snapshot keeps all that commands change, restore brings it back and lets the
// call of that number be the last.
func (o *operation) snapshot() {
	o.must(o.host.Run(context.Background(), Command{Script: snapshotScript, Args: []string{o.dir, "keep"}}))
	o.cuttable(os.Getpid())
}

func (o *operation) restore(cut int) {
	o.t.Helper()
	write(o.t, o.path("cut"), "1000000\n", 0o644)
	o.must(o.host.Run(context.Background(), Command{Script: snapshotScript, Args: []string{o.dir, "back"}}))
	write(o.t, o.path("cut"), fmt.Sprintf("%d\n", cut), 0o644)
}

const snapshotScript = `cd "$1" || exit
case $2 in
keep) mkdir kept && for d in docker units systemd state loaded; do [ ! -d $d ] || cp -a $d kept/$d || exit; done ;;
back) rm -rf docker units systemd state loaded && cp -a kept/. . ;;
esac`
