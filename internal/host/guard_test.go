package host

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/requeen/requeen/internal/state"
)

func TestGuards(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*fakeHost)
		kind  error
		word  string
	}{
		{"another machine", func(f *fakeHost) { f.run.MachineID = "other" }, ErrGuard, "this machine is machine1, not other"},
		{"another certificate", func(f *fakeHost) { f.run.CertificateSHA256 = "00" }, ErrGuard, "swarm-node.crt has sha256"},
		{"no swarm directory", func(f *fakeHost) { f.run.SwarmDir += "x" }, ErrGuard, "sha256 none"},
		{"engine stopped", func(f *fakeHost) { write(f.t, f.path("units/docker.service"), "inactive\n", 0o644) }, ErrGuard, "not active"},
		{"higher token", func(f *fakeHost) { write(f.t, f.path("state/tokens/prod"), "8\n", 0o644) }, ErrToken, "token 8"},
		{"no room", func(f *fakeHost) {
			write(f.t, f.path("bin/df"), "#!/bin/sh\necho Avail\necho 1000\n", 0o755)
		}, ErrNoRoom, "1000 bytes are free"},
		{"no inodes", func(f *fakeHost) {
			write(f.t, f.path("bin/df"), "#!/bin/sh\ncase $* in *avail*B1*|*=avail*) echo 999999999999;; *) echo 3;; esac\n", 0o755)
		}, ErrNoRoom, "3 inodes are free"},
		{"another run", func(f *fakeHost) {
			write(f.t, f.path("state/runs/other/meta"), "id=other\n", 0o644)
			write(f.t, f.path("units/requeen-backup-other.service"), "active\n", 0o644)
		}, ErrRunInFlight, "backup run other"},
		{"timer refused", func(f *fakeHost) { write(f.t, f.path("run-fails"), "", 0o644) }, ErrGuard, "timer can't be armed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeHost(t)
			tt.spoil(f)
			err := f.host.BeginBackup(context.Background(), f.run)
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.word) {
				t.Errorf("got %v", err)
			}
			if exists(f.runDir()) || strings.Contains(read(t, f.path("calls")), "stop docker") {
				t.Error("something was done all the same")
			}
		})
	}
}

func TestBeginTwiceIsBegunOnce(t *testing.T) {
	f := newFakeHost(t)
	f.copying()
	f.begin()
	f.kill()
	f.begin() // the engine is down now: this must not be taken for a new run
	if n := strings.Count(read(t, f.path("calls")), "--no-block"); n != 1 {
		t.Errorf("the unit was started %d times", n)
	}
}

func TestBeginFinishesWhatWasCut(t *testing.T) {
	for name, cut := range map[string]func(*fakeHost){
		"in the making": func(f *fakeHost) { write(f.t, f.path("state/runs/.new."+f.run.ID+"/meta"), "", 0o600) },
		"made, not launched": func(f *fakeHost) {
			write(f.t, f.runDir()+"/meta", "id=x\n", 0o600)
			write(f.t, f.runDir()+"/status", "prepared 1.0 \n", 0o600)
		},
		"failed before the stop": func(f *fakeHost) {
			write(f.t, f.runDir()+"/meta", "id=x\n", 0o600)
			write(f.t, f.runDir()+"/status", "prepared 1.0 \nbegun 1.1 \nfailed 31.0 no unlock key came\n", 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeHost(t)
			cut(f)
			f.begin()
			f.idle()
			f.up()
			if r := f.status(); r.Phase != state.PhaseStarted || !r.CopyIntact {
				t.Errorf("status %+v", r)
			}
		})
	}
}

func TestHostLock(t *testing.T) {
	f := newFakeHost(t)
	// Whatever way the shells interleave, the counter loses nothing.
	const script = `
dir=$1
lock_host
n=$(cat "$dir/counter" 2>/dev/null)
sleep 0.01
echo $((n + 1)) >"$dir/counter"`
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			err := f.host.Run(context.Background(), Command{Script: guardScript + script, Args: []string{f.path("state")}})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := strings.TrimSpace(read(t, f.path("state/counter"))); got != "5" {
		t.Errorf("the counter is %s", got)
	}
	if left, _ := os.ReadDir(f.path("state/lock")); len(left) != 1 {
		t.Errorf("%d links are left", len(left))
	}
}

func TestValidation(t *testing.T) {
	f := newFakeHost(t)
	for name, spoil := range map[string]func(*BackupRun){
		"id":       func(b *BackupRun) { b.ID = "../x" },
		"cluster":  func(b *BackupRun) { b.Cluster = "a/b" },
		"break":    func(b *BackupRun) { b.Backup = "a\nb" },
		"service":  func(b *BackupRun) { b.Service = "docker; rm" },
		"down_max": func(b *BackupRun) { b.DownMax = 1 },
		"root":     func(b *BackupRun) { b.SwarmDir = "/" },
		"no key":   func(b *BackupRun) { b.Autolocked = true },
		"machine":  func(b *BackupRun) { b.MachineID = "" },
	} {
		b := f.run
		spoil(&b)
		if err := f.host.BeginBackup(context.Background(), b); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if read(t, f.path("calls")) != "" {
		t.Error("the host was asked all the same")
	}
}
