package host

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func ownedByMe(info os.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Getuid() && int(s.Gid) == os.Getgid()
}

func TestOpenHeld(t *testing.T) {
	for name, layout := range layouts {
		t.Run(name, func(t *testing.T) {
			o := newOperation(t)
			layout(o)
			open := func() (map[string]string, error) {
				r, err := o.host.OpenHeld(context.Background(), o.s)
				_, content, failure := archived(t, r, err)
				return content, failure
			}
			if _, err := open(); !errors.Is(err, ErrGuard) {
				t.Errorf("not held: %v", err)
			}
			o.hold()
			o.stage() // what is staged inside is not the host's
			content, err := open()
			o.must(err)
			for _, file := range oldFiles {
				if want := read(t, o.swarm+"/"+file); content["swarm/"+file] != want {
					t.Errorf("%s is %q, want %q", file, content["swarm/"+file], want)
				}
			}
			for file := range content {
				if !strings.HasPrefix(file, "swarm/") || strings.Contains(file, "requeen") {
					t.Errorf("%s is in it", file)
				}
			}
			write(t, o.path("units/docker.service"), "active\n", 0o644)
			if _, err := open(); !errors.Is(err, ErrGuard) {
				t.Errorf("held, and running: %v", err)
			}
		})
	}
}

// A copy counts only when nothing has started the engine while it was made.
func TestOpenHeldSeesAStart(t *testing.T) {
	o := newOperation(t)
	o.hold()
	write(t, o.path("bin/tar"), "#!/bin/sh\ncase $* in *-cf*) echo x >>\"$FAKE/units/invocation\" ;; esac\nPATH=$REAL_PATH exec tar \"$@\"\n", 0o755)
	r, err := o.host.OpenHeld(context.Background(), o.s)
	if _, _, err := archived(t, r, err); !errors.Is(err, ErrGuard) || !strings.Contains(err.Error(), "started by somebody else") {
		t.Errorf("got %v", err)
	}
}

func TestOpenLive(t *testing.T) {
	o := newOperation(t)
	open := func(dir string) ([]string, map[string]string, error) {
		r, err := o.host.OpenLive(context.Background(), dir)
		return archived(t, r, err)
	}
	names, content, err := open(o.swarm)
	o.must(err)
	snapshot, log := slices.Index(names, "swarm/raft/snap-v3-encrypted/1.snap"), slices.Index(names, "swarm/raft/wal-v3-encrypted/0-0.wal")
	if snapshot < 0 || log < snapshot || content["swarm/certificates/swarm-node.crt"] != oldCertificate {
		t.Errorf("in this order: %q", names)
	}
	for _, name := range names {
		if strings.Contains(name, "docker-state") || strings.Contains(name, "worker") || strings.HasSuffix(name, ".tmp") {
			t.Errorf("%s is in it", name)
		}
	}
	o.up()
	// Only certificates, as on a worker or a fenced manager.
	write(t, o.path("worker/certificates/swarm-node.crt"), "x", 0o600)
	if names, _, err := open(o.path("worker")); err != nil || len(names) != 2 {
		t.Errorf("%q, %v", names, err)
	}
	for _, dir := range []string{o.path("nothing"), o.path("units")} {
		if _, _, err := open(dir); !errors.Is(err, ErrGuard) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	tar := func(script string) { write(t, o.path("bin/tar"), "#!/bin/sh\n"+script, 0o755) }
	tar("PATH=$REAL_PATH tar \"$@\"\necho 'tar: x: file changed as we read it' >&2\nexit 1\n")
	if _, _, err := open(o.swarm); err != nil {
		t.Errorf("a file that grew: %v", err)
	}
	tar("PATH=$REAL_PATH tar \"$@\"\nexit 2\n")
	if _, _, err := open(o.swarm); err == nil {
		t.Error("a failed tar passes")
	}
	tar("PATH=$REAL_PATH tar \"$@\"\necho another >>\"$FAKE/docker/swarm/certificates/swarm-node.key\"\n")
	if _, _, err := open(o.swarm); !errors.Is(err, ErrChanged) {
		t.Errorf("a key that changed: %v", err)
	}
}

func TestProbeTellsWhereTheSwarmDirectoryIs(t *testing.T) {
	o := newOperation(t)
	written := time.Now().Add(-time.Hour).Truncate(time.Second)
	for _, name := range []string{"", "/0-0.wal", "/0.tmp"} {
		o.must(os.Chtimes(o.swarm+"/raft/wal-v3-encrypted"+name, written, written))
	}
	d := o.look(o.path("docker")).Host.SwarmDir
	if !d.RaftChangedAt.Equal(written) || d.MountPoint || d.Link != "" {
		t.Errorf("%+v", d)
	}
	layouts["beyond a link, inside a mount point with a space"](o)
	d = o.look(o.path("docker")).Host.SwarmDir
	if !d.MountPoint || d.Link != o.swarm || d.Path != o.path("data/the swarm") {
		t.Errorf("%+v", d)
	}
	aside := o.fence()
	facts := o.look(o.path("docker")).Host
	if !facts.SwarmDir.RaftChangedAt.IsZero() || facts.SwarmDir.HasRaft {
		t.Errorf("%+v", facts.SwarmDir)
	}
	if list := facts.SetAsides; len(list) != 1 || list[0].Path != aside || !list[0].HasRaft {
		t.Errorf("set aside: %+v", list)
	}
	if n := len(facts.Recoveries); n != 1 || facts.Recoveries[0].Aside != aside {
		t.Errorf("recoveries: %+v", facts.Recoveries)
	}
}

func TestAMountInsideTheSwarmDirectory(t *testing.T) {
	o := newOperation(t)
	o.stage()
	o.hold()
	write(t, o.path("mounts"), "31 30 8:2 / "+o.swarm+"/raft rw - ext4 /dev/sdb1 rw\n", 0o644)
	for name, err := range o.everyBut("Hold Stage OpenHeld ReplaceNodeKey Lift") {
		if !errors.Is(err, ErrGuard) || !strings.Contains(err.Error(), "something is mounted on "+o.swarm+"/raft") {
			t.Errorf("%s: %v", name, err)
		}
	}
	o.want("the swarm directory", o.swarm, oldFiles...)
}

func TestLiftRefusesAHalfDoneMove(t *testing.T) {
	o := newOperation(t)
	o.fence()
	status := o.path("state/recoveries/r1/status")
	write(t, status, strings.Split(read(t, status), "fenced ")[0], 0o600)
	if err := o.host.Lift(context.Background(), o.s); !errors.Is(err, ErrGuard) || !strings.Contains(err.Error(), "cut while it moved state") {
		t.Errorf("got %v", err)
	}
	o.down()
	o.fence()
	o.lift()
}
