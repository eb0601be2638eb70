package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// fakeHost is a "host" whose systemd is a pair of scripts: units are files that
// hold their state, and every call and its environment is recorded.
type fakeHost struct {
	t    *testing.T
	dir  string
	host *Host
	run  BackupRun
}

// fakeSystemctl knows start limits as systemd does: a service that was started
// is not started again before reset-failed.
const fakeSystemctl = `#!/bin/sh
echo "systemctl $*" >>"$FAKE/calls"
env >>"$FAKE/env"
U=$FAKE/units
verb=$1
shift
state() { cat "$U/$1" 2>/dev/null || echo inactive; }
case $verb in
is-active)
	[ "$1" = --quiet ] && shift
	for unit; do
		s=$(state "$unit")
		echo "$s"
	done
	[ "$s" = active ] ;;
show)
	for a; do unit=$a; done
	for prop in LoadState UnitFileState TriggeredBy; do
		case "$*" in
		*"$prop --value"*) [ ! -f "$U/$unit.$prop" ] || { cat "$U/$unit.$prop"; exit; } ;;
		esac
	done
	case "$*" in
	*'ActiveState --value'*) state "$unit" ;;
	*) printf "ActiveState="; state "$unit"; cat "$U/invocation" ;;
	esac ;;
stop)
	if [ -f "$FAKE/stop-fails" ]; then exit 1; fi
	for u; do
		if [ -f "$U/$u.pid" ]; then
			kill "$(cat "$U/$u.pid")" 2>/dev/null
			while [ "$(state "$u")" = active ]; do sleep 0.01; done
		fi
		echo inactive >"$U/$u"
	done ;;
start)
	for u; do
		case $u in *.service)
			if [ -f "$U/$u.started" ]; then echo "start request repeated too quickly" >&2; exit 1; fi
			touch "$U/$u.started"
			if [ -s "$FAKE/start-fails" ]; then
				tail -c +2 "$FAKE/start-fails" >"$FAKE/s"
				mv "$FAKE/s" "$FAKE/start-fails"
				echo failed >"$U/$u"
				exit 1
			fi
			echo x >>"$U/invocation" ;;
		esac
		echo active >"$U/$u"
	done ;;
restart) [ ! -f "$FAKE/no-timer" ] && echo active >"$U/$1" ;;
cat) cat "$U/$1.text" ;;
is-enabled) if [ -f "$FAKE/not-enabled" ]; then echo disabled; else echo enabled; fi ;;
reset-failed) for u; do rm -f "$U/$u.started"; done ;;
esac
`

const fakeSystemdRun = `#!/bin/sh
echo "systemd-run $*" >>"$FAKE/calls"
if [ -f "$FAKE/run-fails" ]; then exit 1; fi
timer=
while :; do
	case $1 in
	--on-active=*) timer=1 ;;
	--unit=*) unit=${1#--unit=} ;;
	-*) ;;
	*) break ;;
	esac
	shift
done
if [ -n "$timer" ]; then
	echo active >"$FAKE/units/$unit.timer"
	exit
fi
echo active >"$FAKE/units/$unit"
(
	"$@" </dev/null >>"$FAKE/unit.out" 2>&1 &
	echo $! >"$FAKE/units/$unit.pid"
	wait
	rm -f "$FAKE/units/$unit.pid"
	echo inactive >"$FAKE/units/$unit"
) </dev/null >/dev/null 2>&1 &
`

// fakeCp copies unless it is told to fail, to wait for a signal, or to let
// somebody start the engine meanwhile.
const fakeCp = `#!/bin/sh
echo "cp $*" >>"$FAKE/calls"
for a; do target=$a; done
if [ -f "$FAKE/cp-fails" ]; then touch "$target/half"; echo "No space left on device" >&2; exit 1; fi
if [ -p "$FAKE/cp-waits" ]; then touch "$target/half"; exec cat "$FAKE/cp-waits"; fi
if [ -f "$FAKE/cp-meddles" ]; then echo x >>"$FAKE/units/invocation"; fi
if [ -f "$FAKE/cp-starts" ]; then echo active >"$FAKE/units/docker.service"; fi
PATH=$REAL_PATH exec cp "$@"
`

func newFakeHost(t *testing.T) *fakeHost {
	t.Helper()
	t.Parallel()
	f := &fakeHost{t: t, dir: t.TempDir()}
	write(t, f.path("bin/systemctl"), fakeSystemctl, 0o755)
	write(t, f.path("bin/systemd-run"), fakeSystemdRun, 0o755)
	write(t, f.path("bin/cp"), fakeCp, 0o755)
	write(t, f.path("bin/sync"), "#!/bin/sh\n[ -e \"$1\" ]\n", 0o755) // a busy disk takes seconds
	fakeID(t, f.path("bin"))
	write(t, f.path("machine-id"), "machine1\n", 0o644)
	for _, u := range []string{"docker.service", "docker.socket"} {
		write(t, f.path("units/"+u), "active\n", 0o644)
	}
	write(t, f.path("units/invocation"), "x\n", 0o644)
	write(t, f.path("calls"), "", 0o644)
	const crt = "a certificate\n"
	write(t, f.path("docker/swarm/certificates/swarm-node.crt"), crt, 0o644)
	write(t, f.path("docker/swarm/raft/wal-v3-encrypted/0-0.wal"), strings.Repeat("\x00", 1<<20)+"log", 0o600)
	sum := sha256.Sum256([]byte(crt))
	p, err := NewPool([]Target{{Name: "m1", Local: true}}, Options{
		testOnlyDir: f.path("state"), testOnlyRun: f.path("run"),
		testOnlyEnv: []string{
			"FAKE=" + f.dir, "REAL_PATH=" + os.Getenv("PATH"), "PATH=" + f.path("bin") + ":" + os.Getenv("PATH"),
			"machine_file=" + f.path("machine-id"), "units_dir=" + f.path("etc"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	f.host, _ = p.Host("m1")
	f.run = BackupRun{
		ID: "20260102T030405Z-abcdef", Cluster: "prod", Backup: "state", Repository: "offsite",
		SwarmID: "swarm1", NodeID: "node1", MachineID: "machine1", CertificateSHA256: hex.EncodeToString(sum[:]),
		Service: "docker.service", Socket: "docker.socket", SwarmDir: f.path("docker/swarm"),
		Token: 7, DownMax: 2 * time.Minute,
	}
	t.Cleanup(func() { f.idle() })
	return f
}

func (f *fakeHost) path(name string) string { return filepath.Join(f.dir, name) }

func (f *fakeHost) runDir() string { return f.path("state/runs/" + f.run.ID) }

func (f *fakeHost) unit() string { return "requeen-backup-" + f.run.ID + ".service" }

func (f *fakeHost) is(unit string) string {
	b, _ := os.ReadFile(f.path("units/" + unit))
	return strings.TrimSpace(string(b))
}

// idle waits until the unit has ended.
func (f *fakeHost) idle() {
	eventually(f.t, "the unit ends", func() bool { return f.is(f.unit()) != "active" })
}

func (f *fakeHost) begin() {
	f.t.Helper()
	if err := f.host.BeginBackup(context.Background(), f.run); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fakeHost) status() state.HostRun {
	f.t.Helper()
	r, found, err := f.host.BackupStatus(context.Background(), f.run.ID)
	if err != nil || !found {
		f.t.Fatalf("status: found %v, %v", found, err)
	}
	return r
}

// rescue does what the timer does when its time has come.
func (f *fakeHost) rescue() {
	f.t.Helper()
	cmd := exec.Command("/bin/sh", f.runDir()+"/unit.sh", "rescue")
	cmd.Env = append(os.Environ(), f.host.pool.o.testOnlyEnv...)
	if out, err := cmd.CombinedOutput(); err != nil {
		f.t.Fatalf("rescue: %v: %s", err, out)
	}
}

// up asserts that the engine and its socket are as they were before.
func (f *fakeHost) up() {
	f.t.Helper()
	if f.is("docker.service") != "active" || f.is("docker.socket") != "active" {
		f.t.Errorf("service %s, socket %s", f.is("docker.service"), f.is("docker.socket"))
	}
	if s := f.is("requeen-rescue-" + f.run.ID + ".timer"); s == "active" {
		f.t.Error("the rescue timer is still armed")
	}
}

// phases are the words of the run's status file.
func (f *fakeHost) phases() string {
	var words []string
	for _, line := range strings.Split(strings.TrimSpace(read(f.t, f.runDir()+"/status")), "\n") {
		word, _, _ := strings.Cut(line, " ")
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// fakeEngine is locked until the key comes.
type fakeEngine struct {
	key      string
	status   int // when not 0, the answer to the right key
	unlocked atomic.Int32
}

func (e *fakeEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b := make([]byte, 4096)
	n, _ := r.Body.Read(b)
	switch {
	case !strings.Contains(string(b[:n]), `"`+e.key+`"`):
		http.Error(w, "no", http.StatusUnauthorized)
	case e.status != 0:
		http.Error(w, "no", e.status)
	default:
		e.unlocked.Add(1)
	}
}
