package host

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/state"
)

// holdingSystemctl adds to the fake what a hold needs: drop-ins count once the
// units were read again, a unit whose condition fails is not started and that is
// no failure, and an engine can be deaf to SIGTERM.
const holdingSystemctl = `#!/bin/sh
case $1 in
daemon-reload)
	echo "systemctl $*" >>"$FAKE/calls"
	rm -rf "$FAKE/loaded"
	cp -a "$FAKE/systemd" "$FAKE/loaded"
	exit ;;
kill)
	echo "systemctl $*" >>"$FAKE/calls"
	rm -f "$FAKE/deaf"
	for u; do unit=$u; done
	echo failed >"$FAKE/units/$unit"
	echo inactive >"$FAKE/units/docker.socket"
	exit ;;
stop)
	case "$*" in *docker.service*)
		if [ -f "$FAKE/deaf" ]; then
			echo "systemctl $*" >>"$FAKE/calls"
			exec sleep 60
		fi ;;
	esac ;;
start)
	shift
	for u; do
		for conf in "$FAKE/loaded/$u.d"/*.conf; do
			[ -f "$conf" ] || continue
			while IFS= read -r line; do
				case $line in ConditionPathExists=!*)
					if [ -e "${line#*!}" ]; then echo "systemctl start $u: condition failed" >>"$FAKE/calls"; exit 0; fi ;;
				esac
			done <"$conf"
		done
	done
	set -- start "$@" ;;
esac
exec "$FAKE/bin/systemctl.plain" "$@"
`

// operation is a fake host in the hands of a recovery.
type operation struct {
	*fakeHost
	s     Surgery
	swarm string
}

const oldCertificate = "a certificate\n" // newFakeHost's

func newOperation(t *testing.T) *operation {
	t.Helper()
	f := newFakeHost(t)
	write(t, f.path("bin/systemctl.plain"), fakeSystemctl, 0o755)
	write(t, f.path("bin/systemctl"), holdingSystemctl, 0o755)
	write(t, f.path("systemd/docker.service.d/10-other.conf"), "[Service]\n", 0o644)
	write(t, f.path("mounts"), "", 0o644)
	o := &f.host.pool.o
	o.testOnlyEnv = append(o.testOnlyEnv, "units_dir="+f.path("systemd"), "mount_table="+f.path("mounts"), "stop_seconds=0.5")
	swarm := f.path("docker/swarm")
	for name, text := range map[string]string{
		"certificates/swarm-node.key": "old key\n", "certificates/swarm-root-ca.crt": "root\n", "docker-state.json": "{}",
		"state.json": "[]", "worker/tasks.db": "tasks", "raft/snap-v3-encrypted/1.snap": "snapshot",
		"raft/wal-v3-encrypted/0.tmp": "preallocated",
	} {
		write(t, swarm+"/"+name, text, 0o600)
	}
	return &operation{fakeHost: f, swarm: swarm, s: Surgery{
		ID: "r1", Cluster: "prod", Token: 7, MachineID: "machine1", CertificateSHA256: f.run.CertificateSHA256,
		Service: "docker.service", Socket: "docker.socket", SwarmDir: swarm,
	}}
}

// emptied makes the host one that never was in a swarm.
func (o *operation) emptied() {
	if err := os.RemoveAll(o.swarm); err != nil {
		o.t.Fatal(err)
	}
	o.s.CertificateSHA256 = ""
}

// mounted tells the host that the swarm directory is a mount point.
func (o *operation) mounted() {
	point := strings.ReplaceAll(o.swarm, " ", `\040`)
	write(o.t, o.path("mounts"), "30 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 30 8:2 / "+point+" rw shared:2 - ext4 /dev/sdb1 rw\n", 0o644)
}

func (o *operation) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *operation) hold() { o.t.Helper(); o.must(o.host.Hold(context.Background(), o.s)) }
func (o *operation) lift() { o.t.Helper(); o.must(o.host.Lift(context.Background(), o.s)) }

func (o *operation) fence() string {
	o.t.Helper()
	aside, err := o.host.Fence(context.Background(), o.s)
	o.must(err)
	return aside
}

func (o *operation) swap() string {
	o.t.Helper()
	aside, err := o.host.Swap(context.Background(), o.s)
	o.must(err)
	return aside
}

func (o *operation) stage() {
	o.t.Helper()
	o.must(o.host.Stage(context.Background(), o.s, 1000, bytes.NewReader(prepared(o.t))))
}

// prepared is a prepared directory as a tar archive, with an owner that is not
// root.
func prepared(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	put := func(name, text string, mode int64) {
		header := &tar.Header{Name: name, Mode: mode, Size: int64(len(text)), Uid: 1234, Gid: 1234}
		if strings.HasSuffix(name, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	put("swarm/", "", 0o700)
	put("swarm/certificates/", "", 0o755)
	put("swarm/certificates/swarm-node.crt", "new certificate\n", 0o644)
	put("swarm/certificates/swarm-node.key", "new key\n", 0o600)
	put("swarm/certificates/swarm-root-ca.crt", "root\n", 0o644)
	put("swarm/raft/", "", 0o700)
	put("swarm/raft/snap-v3-encrypted/", "", 0o700)
	put("swarm/raft/snap-v3-encrypted/9.snap", "new snapshot", 0o644)
	put("swarm/raft/wal-v3-encrypted/", "", 0o700)
	put("swarm/raft/wal-v3-encrypted/0.wal", strings.Repeat("\x00", 3000)+"new log", 0o600)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var preparedFiles = []string{
	"certificates/swarm-node.crt", "certificates/swarm-node.key", "certificates/swarm-root-ca.crt",
	"raft/snap-v3-encrypted/9.snap", "raft/wal-v3-encrypted/0.wal",
}

// files are the names of the regular files below dir, without what lies in a
// directory of requeen's there, sorted.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && strings.HasPrefix(d.Name(), ".requeen-"):
			return filepath.SkipDir
		case !d.IsDir():
			name, _ := filepath.Rel(dir, path)
			list = append(list, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

func (o *operation) want(what, dir string, names ...string) {
	o.t.Helper()
	slices.Sort(names)
	if got := files(o.t, dir); !slices.Equal(got, names) {
		o.t.Errorf("%s holds %q, want %q", what, got, names)
	}
}

var oldFiles = []string{
	"certificates/swarm-node.crt", "certificates/swarm-node.key", "certificates/swarm-root-ca.crt", "docker-state.json",
	"raft/snap-v3-encrypted/1.snap", "raft/wal-v3-encrypted/0-0.wal", "raft/wal-v3-encrypted/0.tmp", "state.json", "worker/tasks.db",
}

// recovery is what a probe tells of the recovery.
func (o *operation) recovery() state.HostRecovery {
	o.t.Helper()
	list := o.look(o.path("docker")).Host.Recoveries
	if len(list) != 1 || list[0].ID != o.s.ID || list[0].Cluster != "prod" {
		o.t.Fatalf("recoveries %+v", list)
	}
	return list[0]
}

// down asserts that the engine is down and does not start.
func (o *operation) down() {
	o.t.Helper()
	err := o.host.Run(context.Background(), Command{Script: `systemctl start docker.socket docker.service`})
	if err != nil || o.is("docker.service") == "active" || o.is("docker.socket") == "active" {
		o.t.Errorf("service %s, socket %s, %v", o.is("docker.service"), o.is("docker.socket"), err)
	}
}

func archived(t *testing.T, r io.ReadCloser, err error) (names []string, content map[string]string, failure error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	content = map[string]string{}
	for archive := tar.NewReader(r); ; {
		header, err := archive.Next()
		if err != nil {
			break
		}
		names = append(names, header.Name)
		b, _ := io.ReadAll(archive)
		content[header.Name] = string(b)
	}
	return names, content, r.Close()
}
