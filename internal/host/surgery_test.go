package host

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/state"
)

func TestHoldKeepsTheEngineDown(t *testing.T) {
	o := newOperation(t)
	for range 2 {
		o.hold()
		o.down()
		if r := o.recovery(); r.Phase != state.RecoveryHeld || !r.Held || r.Aside != "" || r.Staged != "" {
			t.Errorf("%+v", r)
		}
	}
	o.want("the swarm directory", o.swarm, oldFiles...)
	conf := read(t, o.path("systemd/docker.socket.d/50-requeen-hold.conf"))
	if !strings.Contains(conf, "\nConditionPathExists=!"+o.path("state/recoveries/r1/hold")+"\n") {
		t.Errorf("the drop-in is %q", conf)
	}
	// The drop-in must count before anything is stopped.
	o.order("systemctl daemon-reload", "systemctl stop docker.socket docker.service")
}

func TestLiftGivesBackWhatHoldTook(t *testing.T) {
	o := newOperation(t)
	o.hold()
	for range 2 {
		o.lift()
		o.up()
		if r := o.recovery(); r.Phase != state.RecoveryLifted || r.Held {
			t.Errorf("%+v", r)
		}
	}
	if !exists(o.path("systemd/docker.service.d/10-other.conf")) || exists(o.path("systemd/docker.service.d/50-requeen-hold.conf")) || exists(o.path("systemd/docker.socket.d")) {
		t.Error("drop-ins of others are gone, or ours are left")
	}
	if err := o.host.Hold(context.Background(), o.s); !errors.Is(err, ErrGuard) {
		t.Errorf("held again by a recovery that is over: %v", err)
	}
	o.up()
	o.s.ID = "r2"
	o.hold()
	o.down()
}

// After a start that fails three times an engine can be lifted again.
func TestLiftTriesAgain(t *testing.T) {
	o := newOperation(t)
	o.hold()
	write(t, o.path("start-fails"), "xx", 0o644)
	o.lift()
	o.up()
}

func TestAnEngineThatIgnoresTermIsKilled(t *testing.T) {
	o := newOperation(t)
	write(t, o.path("deaf"), "", 0o644)
	o.hold()
	o.down()
	o.order("systemctl stop docker.socket docker.service", "systemctl kill --kill-who=main -s KILL docker.service")
}

func TestHoldDisarmsADeadRunsTimer(t *testing.T) {
	o := newOperation(t)
	o.copying()
	if err := o.host.Hold(context.Background(), o.s); !errors.Is(err, ErrRunInFlight) {
		t.Errorf("while a backup works: %v", err)
	}
	if exists(o.path("state/recoveries")) || o.is("requeen-rescue-"+o.run.ID+".timer") != "active" {
		t.Error("something was done all the same")
	}
	o.kill()
	o.hold()
	if o.is("requeen-rescue-"+o.run.ID+".timer") == "active" {
		t.Error("the rescue timer is still armed")
	}
	o.lift()
	o.up()
	if r := o.status(); r.Phase != state.PhaseStarted {
		t.Errorf("the backup run is %+v", r)
	}
}

func TestFenceTakesTheRaftState(t *testing.T) {
	for name, layout := range layouts {
		t.Run(name, func(t *testing.T) {
			o := newOperation(t)
			base := layout(o)
			for range 2 {
				if got := o.fence(); got != base {
					t.Errorf("set aside in %s, want %s", got, base)
				}
				o.down()
				o.want("the swarm directory", o.swarm, "certificates/swarm-node.crt", "certificates/swarm-node.key",
					"certificates/swarm-root-ca.crt", "state.json", "worker/tasks.db")
				o.want("the set-aside", base, "certificates/swarm-node.crt", "certificates/swarm-node.key", "certificates/swarm-root-ca.crt",
					"docker-state.json", "raft/snap-v3-encrypted/1.snap", "raft/wal-v3-encrypted/0-0.wal", "raft/wal-v3-encrypted/0.tmp")
				if r := o.recovery(); r.Phase != state.RecoveryFenced || !r.Held || r.Aside != base {
					t.Errorf("%+v", r)
				}
			}
			if inside := strings.HasSuffix(base, "/.requeen-r1"); inside != exists(o.path("state/recoveries/r1/certificates/swarm-node.key")) {
				t.Errorf("set aside inside: %v, and the certificates outside: %v", inside, !inside)
			}
			o.lift()
			o.up()
		})
	}
}

// layouts put the swarm directory where it can be, and tell where its things are
// set aside.
var layouts = map[string]func(*operation) string{
	"beside": func(o *operation) string { return o.swarm + ".requeen-r1" },
	"inside a mount point": func(o *operation) string {
		o.mounted()
		return o.swarm + "/.requeen-r1"
	},
	"beyond a link": func(o *operation) string {
		o.must(os.MkdirAll(o.path("data"), 0o755))
		o.must(os.Rename(o.swarm, o.path("data/the swarm")))
		o.must(os.Symlink(o.path("data/the swarm"), o.swarm))
		return o.path("data/the swarm.requeen-r1")
	},
	"beyond a link, inside a mount point with a space": func(o *operation) string {
		o.must(os.MkdirAll(o.path("data"), 0o755))
		o.must(os.Rename(o.swarm, o.path("data/the swarm")))
		o.must(os.Symlink(o.path("data/the swarm"), o.swarm))
		link := o.swarm
		o.swarm = o.path("data/the swarm")
		o.mounted()
		o.swarm = link
		return o.path("data/the swarm/.requeen-r1")
	},
}

func TestSwap(t *testing.T) {
	for name, layout := range layouts {
		t.Run(name, func(t *testing.T) {
			o := newOperation(t)
			base := layout(o)
			link, _ := os.Readlink(o.swarm)
			o.stage()
			o.up() // staging needs no hold
			o.hold()
			o.stage()
			if r := o.recovery(); r.Staged != base+".new" || r.Aside != "" || r.Phase != state.RecoveryHeld {
				t.Errorf("%+v", r)
			}
			for range 2 {
				if got := o.swap(); got != base {
					t.Errorf("set aside in %s, want %s", got, base)
				}
				o.want("the swarm directory", o.swarm, preparedFiles...)
				o.want("the set-aside", base, oldFiles...)
				if r := o.recovery(); r.Phase != state.RecoverySwapped || !r.Held || r.Aside != base || r.Staged != "" {
					t.Errorf("%+v", r)
				}
				o.down()
			}
			if now, _ := os.Readlink(o.swarm); now != link {
				t.Errorf("the link leads to %q, it led to %q", now, link)
			}
			o.stage() // nothing to stage any more
			o.lift()
			o.up()
			o.want("the swarm directory", o.swarm, preparedFiles...)
		})
	}
}

func TestSwapOnAnEmptyHost(t *testing.T) {
	for _, dir := range []string{"no", "an empty"} {
		t.Run(dir+" directory", func(t *testing.T) {
			o := newOperation(t)
			o.emptied()
			if dir == "no" {
				o.must(os.RemoveAll(o.path("docker")))
			} else {
				o.must(os.Mkdir(o.swarm, 0o700))
			}
			o.hold()
			if aside := o.fence(); aside != "" {
				t.Errorf("nothing is set aside in %s", aside)
			}
			o.stage()
			for range 2 {
				if aside := o.swap(); aside != "" {
					t.Errorf("nothing is set aside in %s", aside)
				}
			}
			o.want("the swarm directory", o.swarm, preparedFiles...)
			o.lift()
		})
	}
}

// A host on which the same recovery had fenced what it now replaces keeps all of
// both.
func TestSwapAfterFence(t *testing.T) {
	o := newOperation(t)
	base := o.fence()
	o.stage()
	o.swap()
	o.want("the swarm directory", o.swarm, preparedFiles...)
	o.want("the set-aside", base, append([]string{"certificates.1/swarm-node.crt", "certificates.1/swarm-node.key",
		"certificates.1/swarm-root-ca.crt"}, oldFiles...)...)
}

func TestReplaceNodeKey(t *testing.T) {
	o := newOperation(t)
	key := []byte("unsealed verysecret\n")
	replace := func(key []byte) error { return o.host.ReplaceNodeKey(context.Background(), o.s, key) }
	if err := replace(key); !errors.Is(err, ErrGuard) {
		t.Errorf("not held: %v", err)
	}
	aside := o.fence()
	for range 2 {
		o.must(replace(key))
		if got := read(t, o.swarm+"/certificates/swarm-node.key"); got != string(key) {
			t.Errorf("the key is %q", got)
		}
		if got := read(t, aside+"/certificates/swarm-node.key"); got != "old key\n" {
			t.Errorf("the key set aside is %q", got)
		}
	}
	if info, err := os.Stat(o.swarm + "/certificates/swarm-node.key"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	for _, name := range []string{"calls", "env", "state/recoveries/r1/meta", "state/recoveries/r1/status"} {
		if strings.Contains(read(t, o.path(name)), "verysecret") {
			t.Errorf("the key is in %s", name)
		}
	}
	err := o.host.refused(o.host.Run(context.Background(), withStdin(o.host.surgeryCommand(o.s, nodeKeyScript, "20"), "cut")))
	if !errors.Is(err, ErrGuard) || read(t, o.swarm+"/certificates/swarm-node.key") != string(key) {
		t.Errorf("a cut key: %v", err)
	}
	o.want("the certificates", o.swarm+"/certificates", "swarm-node.crt", "swarm-node.key", "swarm-root-ca.crt")
}

func withStdin(c Command, text string) Command {
	c.Stdin = strings.NewReader(text)
	return c
}

func TestRemoveAside(t *testing.T) {
	o := newOperation(t)
	aside := o.fence()
	write(t, o.swarm+".bak/raft/x", "", 0o600)
	o.must(os.Symlink(o.swarm+".bak", o.swarm+".requeen-link"))
	remove := func(path string) error {
		return o.host.RemoveAside(context.Background(), AsideRemoval{Cluster: "prod", Token: 7, MachineID: "machine1", SwarmDir: o.swarm, Path: path})
	}
	if err := remove(aside); !errors.Is(err, ErrHeld) {
		t.Errorf("while the host is held: %v", err)
	}
	for _, path := range []string{o.swarm, o.swarm + ".bak", o.swarm + ".requeen-", o.swarm + ".requeen-r1/raft", o.path("other.requeen-r1"),
		o.swarm + ".requeen-link", o.swarm + ".requeen-r1/../swarm", "/"} {
		if err := remove(path); err == nil {
			t.Errorf("%s: removed", path)
		}
	}
	o.want("the set-aside", o.swarm+".bak", "raft/x")
	if !exists(aside + "/raft") {
		t.Fatal("the set-aside is gone")
	}
	o.lift()
	write(t, o.swarm+".requeen-r1.part.00/x", "", 0o600)
	o.must(remove(aside))
	if exists(aside) || !exists(o.path("state/recoveries/r1/meta")) {
		t.Error("the set-aside is left, or the recovery is forgotten while something of it is left")
	}
	for range 2 {
		o.must(remove(o.swarm + ".requeen-r1.part.00"))
	}
	if exists(o.path("state/recoveries/r1")) || exists(o.swarm+".requeen-r1.part.00") || !exists(o.swarm+"/certificates") {
		t.Error("the recovery is left, or the swarm directory is gone")
	}
	o.lift() // lifted and forgotten
}

func TestStartEngineOnAHostWithoutRuns(t *testing.T) {
	o := newOperation(t)
	start := EngineStart{MachineID: "machine1", Service: "docker.service", Socket: "docker.socket", Cluster: "prod", Token: 7,
		CertificateSHA256: o.s.CertificateSHA256, SwarmDir: o.swarm}
	stop := func() {
		write(t, o.path("units/docker.service"), "failed\n", 0o644)
		write(t, o.path("units/docker.socket"), "inactive\n", 0o644)
	}
	stop()
	for range 2 {
		o.must(o.host.StartEngine(context.Background(), start))
		o.up()
	}
	start.Restart = true
	o.must(o.host.StartEngine(context.Background(), start))
	o.up()
	start.Restart = false
	stop()
	start.CertificateSHA256 = "00"
	if err := o.host.StartEngine(context.Background(), start); !errors.Is(err, ErrGuard) || o.is("docker.service") == "active" {
		t.Errorf("another certificate: %v", err)
	}
	start.CertificateSHA256 = ""
	o.hold()
	if err := o.host.StartEngine(context.Background(), start); !errors.Is(err, ErrHeld) {
		t.Errorf("a held engine: %v", err)
	}
	o.down()
}
