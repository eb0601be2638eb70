package host

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
)

func TestBackupRun(t *testing.T) {
	f := newFakeHost(t)
	f.begin()
	f.idle()
	if got, want := f.phases(), "prepared begun stopping stopped copied started done"; got != want {
		t.Fatalf("phases %q, want %q\n%s", got, want, read(t, f.path("unit.out")))
	}
	f.up()
	r := f.status()
	if r.Phase != state.PhaseStarted || !r.CopyIntact || r.CopyBytes == 0 || r.Failure != "" || r.UnitActive || r.TimerArmed ||
		r.StoppedAt.IsZero() || r.StartedAt.Before(r.StoppedAt) || r.Cluster != "prod" || r.Backup != "state" ||
		r.Repository != "offsite" || r.SwarmID != "swarm1" || r.NodeID != "node1" {
		t.Errorf("status %+v", r)
	}
	f.order("systemd-run --quiet --collect --on-active=120", "systemd-run --quiet --collect --no-block",
		"systemctl restart requeen-rescue", "systemctl reset-failed docker.service docker.socket",
		"systemctl stop docker.socket docker.service", "cp -a --sparse=always", "systemctl start docker.socket docker.service",
		"systemctl stop requeen-rescue")
	if info, err := os.Stat(f.path("state")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	if got := f.copyOf(); !strings.HasSuffix(got["swarm/raft/wal-v3-encrypted/0-0.wal"], "log") || got["swarm/certificates/swarm-node.crt"] == "" {
		t.Errorf("the copy holds %d files", len(got))
	}
	if token, err := f.host.ReadToken(context.Background(), "prod"); token != 7 || err != nil {
		t.Errorf("token %d, %v", token, err)
	}
	for range 2 {
		if err := f.host.RemoveRun(context.Background(), f.run.ID, 7); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := os.ReadDir(f.path("state/runs")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// order asserts that the calls begin so, in this order.
func (f *fakeHost) order(want ...string) {
	f.t.Helper()
	calls := strings.Split(read(f.t, f.path("calls")), "\n")
	at := 0
	for _, w := range want {
		i := slices.IndexFunc(calls[at:], func(c string) bool { return strings.HasPrefix(c, w) })
		if i < 0 {
			f.t.Fatalf("%q is not called after line %d of\n%s", w, at, strings.Join(calls, "\n"))
		}
		at += i + 1
	}
}

func (f *fakeHost) copyOf() map[string]string {
	f.t.Helper()
	r, err := f.host.OpenCopy(context.Background(), f.run.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	files := map[string]string{}
	for archive := tar.NewReader(r); ; {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			f.t.Fatal(err)
		}
		b, err := io.ReadAll(archive)
		if err != nil {
			f.t.Fatal(err)
		}
		files[header.Name] = string(b)
	}
	if err := r.Close(); err != nil {
		f.t.Fatal(err)
	}
	return files
}

func TestOpenCopyTellsFailure(t *testing.T) {
	f := newFakeHost(t)
	r, err := f.host.OpenCopy(context.Background(), "nothing")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); !errors.Is(err, ErrGuard) {
		t.Errorf("reading: %v", err)
	}
	if err := r.Close(); !errors.Is(err, ErrGuard) {
		t.Errorf("closing: %v", err)
	}
	f.begin()
	f.idle()
	if r, err = f.host.OpenCopy(context.Background(), f.run.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 512)); err != nil {
		t.Fatal(err)
	}
	_ = r.Close() // given up: it must end
}

func TestAutolockedRun(t *testing.T) {
	f := newFakeHost(t)
	e := &fakeEngine{key: "SWMKEY-1-verysecret"}
	f.autolocked(e)
	f.begin()
	f.idle()
	if got, want := f.phases(), "prepared begun stopping stopped copied started unlocked done"; got != want {
		t.Fatalf("phases %q, want %q\n%s", got, want, read(t, f.path("unit.out")))
	}
	f.up()
	if r := f.status(); r.Phase != state.PhaseUnlocked || r.UnlockedAt.IsZero() || e.unlocked.Load() != 1 {
		t.Errorf("status %+v, unlocked %d times", r, e.unlocked.Load())
	}
	if got := read(t, f.runDir()+"/unlock-key.age"); got != "sealed\x00bytes" {
		t.Errorf("sealed key %q", got)
	}
	f.noSecret()
}

func (f *fakeHost) autolocked(e *fakeEngine) {
	f.run.Autolocked, f.run.UnlockKey, f.run.SealedKey = true, []byte(e.key+"\n"), []byte("sealed\x00bytes")
	f.run.EngineSocket = listen(f.t, e)
}

// noSecret asserts that the key is in no file: not the run's, nor the recorded
// arguments and environments. Only the ends of the FIFO have seen it.
func (f *fakeHost) noSecret() {
	f.t.Helper()
	err := filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Type()&fs.ModeNamedPipe != 0 && d.Name() != "cp-waits":
			f.t.Errorf("%s is left", path)
		case d.Type().IsRegular() && !strings.Contains(path, "/helper-"):
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if bytes.Contains(b, []byte("verysecret")) {
				f.t.Errorf("the key is in %s", path)
			}
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func TestNoKeyNoStop(t *testing.T) {
	f := newFakeHost(t)
	f.autolocked(&fakeEngine{key: "SWMKEY-1-verysecret"})
	helper, err := f.host.EnsureHelper(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	// As when the operator's connection ends before the key is through.
	err = f.host.Run(context.Background(), Command{
		Script: guardScript + beginScript, Stdin: strings.NewReader("-\n"), Root: true,
		Args: []string{f.host.pool.stateDir(), f.host.pool.runDir(), f.run.ID, f.run.meta(helper), unitScript},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.idle()
	f.up()
	if r := f.status(); r.Phase != state.PhaseFailed || !r.StoppedAt.IsZero() || !strings.Contains(r.Failure, "nothing was stopped") {
		t.Errorf("status %+v", r)
	}
	f.begin() // the same run, with the key this time
	f.idle()
	if r := f.status(); r.Phase != state.PhaseUnlocked {
		t.Errorf("begun anew: %+v", r)
	}
	f.noSecret()
}

func TestWrongUnlockKeyIsTold(t *testing.T) {
	f := newFakeHost(t)
	f.autolocked(&fakeEngine{key: "another"})
	f.run.UnlockKey = []byte("SWMKEY-1-verysecret")
	f.begin()
	f.idle()
	f.up()
	r := f.status()
	if r.Phase != state.PhaseFailed || !strings.Contains(r.Failure, "refuses the unlock key") || !r.CopyIntact || r.StartedAt.IsZero() {
		t.Errorf("status %+v", r)
	}
	f.noSecret()
}

func TestFailures(t *testing.T) {
	tests := []struct {
		name, file string
		phases     string
		failure    string
		copied     bool
	}{
		{"cp fails", "cp-fails", "prepared begun stopping stopped started failed", "No space left", false},
		{"started by somebody and stopped again", "cp-meddles", "prepared begun stopping stopped started failed", "started by somebody else", false},
		{"started by somebody", "cp-starts", "prepared begun stopping stopped started failed", "started by somebody else", false},
		{"stop fails", "stop-fails", "prepared begun stopping started failed", "systemctl stop failed", false},
		{"timer not armed", "no-timer", "prepared begun failed", "nothing was stopped", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeHost(t)
			write(t, f.path(tt.file), "", 0o644)
			f.begin()
			f.idle()
			if got := f.phases(); got != tt.phases {
				t.Errorf("phases %q, want %q\n%s", got, tt.phases, read(t, f.path("unit.out")))
			}
			r := f.status()
			if r.Phase != state.PhaseFailed || !strings.Contains(r.Failure, tt.failure) || r.CopyIntact != tt.copied || exists(f.runDir()+"/copy/swarm/half") {
				t.Errorf("status %+v", r)
			}
			if f.is("docker.service") != "active" || f.is("docker.socket") != "active" {
				t.Error("the engine was left stopped")
			}
		})
	}
}

func TestStartIsRetriedWithResetFailed(t *testing.T) {
	f := newFakeHost(t)
	write(t, f.path("start-fails"), "xx", 0o644)
	f.begin()
	f.idle()
	f.up()
	if r := f.status(); r.Phase != state.PhaseStarted || !r.CopyIntact {
		t.Errorf("status %+v", r)
	}
	if n := strings.Count(read(t, f.path("calls")), "systemctl reset-failed docker.service"); n != 3 {
		t.Errorf("reset-failed was called %d times, want 3", n)
	}
}

// copying begins a run and waits until its copy is under way.
func (f *fakeHost) copying() {
	f.t.Helper()
	if err := mkfifo(f.path("cp-waits")); err != nil {
		f.t.Fatal(err)
	}
	f.begin()
	eventually(f.t, "the copy is under way", func() bool { return exists(f.runDir() + "/copy/swarm/half") })
}

func TestTermInTheMiddle(t *testing.T) {
	f := newFakeHost(t)
	e := &fakeEngine{key: "SWMKEY-1-verysecret"}
	f.autolocked(e)
	f.copying()
	if f.is("docker.service") != "inactive" || f.is("docker.socket") != "inactive" {
		t.Error("the engine runs while it is copied")
	}
	if r := f.status(); r.Phase != state.PhaseStopped || !r.UnitActive || !r.TimerArmed || r.CopyIntact {
		t.Errorf("status %+v", r)
	}
	if err := f.host.RemoveRun(context.Background(), f.run.ID, 7); !errors.Is(err, ErrUnitBusy) {
		t.Errorf("RemoveRun of a run at work: %v", err)
	}
	begin := time.Now()
	f.rescue() // stops the unit, whose trap starts and unlocks
	if took := time.Since(begin); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
	f.up()
	if got, want := f.phases(), "prepared begun stopping stopped rescue started unlocked failed"; got != want {
		t.Errorf("phases %q, want %q", got, want)
	}
	if exists(f.runDir()+"/copy/swarm") || e.unlocked.Load() != 1 {
		t.Error("the partial copy is left, or the engine was not unlocked")
	}
	f.noSecret()
}

func TestRescueWhenTheUnitIsDead(t *testing.T) {
	f := newFakeHost(t)
	f.copying()
	f.kill()
	if err := f.host.RemoveRun(context.Background(), f.run.ID, 7); !errors.Is(err, ErrGuard) {
		t.Errorf("RemoveRun with the engine stopped: %v", err)
	}
	f.rescue()
	if f.is("docker.service") != "active" || f.is("docker.socket") != "active" {
		t.Error("the engine is still stopped")
	}
	if r := f.status(); r.Phase != state.PhaseFailed || r.StartedAt.IsZero() || r.CopyIntact {
		t.Errorf("status %+v", r)
	}
	if err := f.host.RemoveRun(context.Background(), f.run.ID, 7); err != nil {
		t.Error(err)
	}
}

// kill is kill -9 on the unit's shell and its copy.
func (f *fakeHost) kill() {
	f.t.Helper()
	pid := strings.TrimSpace(read(f.t, f.path("units/"+f.unit()+".pid")))
	if err := f.host.Run(context.Background(), Command{Script: `kill -9 "$1"`, Args: []string{pid}}); err != nil {
		f.t.Fatal(err)
	}
	w, err := os.OpenFile(f.path("cp-waits"), os.O_WRONLY, 0) // lets the copy go
	if err != nil {
		f.t.Fatal(err)
	}
	w.Close()
	os.Remove(f.path("cp-waits"))
	f.idle()
}

func TestStartEngine(t *testing.T) {
	f := newFakeHost(t)
	f.copying()
	start := EngineStart{MachineID: "machine1", Service: "docker.service", Socket: "docker.socket", Cluster: "prod", Token: 7}
	if err := f.host.StartEngine(context.Background(), start); !errors.Is(err, ErrRunInFlight) {
		t.Errorf("while the unit works: %v", err)
	}
	f.kill()
	for range 2 {
		if err := f.host.StartEngine(context.Background(), start); err != nil {
			t.Fatal(err)
		}
	}
	f.up()
	if r := f.status(); r.Phase != state.PhaseStarted || r.CopyIntact {
		t.Errorf("status %+v", r)
	}
	start.MachineID = "other"
	if err := f.host.StartEngine(context.Background(), start); !errors.Is(err, ErrGuard) {
		t.Errorf("another machine: %v", err)
	}
}
