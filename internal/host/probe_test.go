package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
)

const runsText = `boot_id=boot1
run=20260102T030405Z-bbbbbb
run.meta=id=20260102T030405Z-bbbbbb
run.meta=cluster=prod
run.meta=backup=a=b=
run.meta=boot_id=boot1
run.status=prepared 100.000000001 
run.status=begun 101.0 
run.status=stopping 102.0 
run.status=stopped 103.5 
run.status=copied 104.0 
run.status=started 105.0 
run.status=failed 106.0 the engine refuses the unlock key
run.unit=inactive
run.rescue=inactive
run.timer=active
run.bytes=4096
run=20260101T030405Z-aaaaaa
run.meta=cluster=prod
run.meta=boot_id=boot0
run.status=prepared 1.0 
run.status=stopping 2.0 
run.status=stopped 3.0 
run.status=copied 4.0 
run.unit=deactivating
run.timer=unknown
runs_end=
`

func TestParseRuns(t *testing.T) {
	runs, err := ParseRuns(runsText)
	if err != nil || len(runs) != 2 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	first, second := runs[0], runs[1]
	if first.Phase != state.PhaseCopied || first.CopyIntact || !first.UnitActive || first.TimerArmed || !first.StoppedAt.Equal(time.Unix(3, 0)) {
		t.Errorf("of another boot: %+v", first)
	}
	if second.Phase != state.PhaseFailed || second.Failure != "the engine refuses the unlock key" || !second.CopyIntact ||
		second.UnitActive || !second.TimerArmed || second.CopyBytes != 4096 || second.Backup != "a=b=" ||
		!second.StoppedAt.Equal(time.Unix(103, 500_000_000)) || !second.StartedAt.Equal(time.Unix(105, 0)) {
		t.Errorf("failed: %+v", second)
	}
	if _, err := ParseRuns(strings.TrimSuffix(runsText, "runs_end=\n")); err == nil {
		t.Error("a cut answer was taken")
	}
}

func TestParseProbe(t *testing.T) {
	text := `motd
clock=1000.500000000
uname=Linux aarch64
hostname=m1
machine_id=abc
missing=tar
load=loaded
service=docker.service
active_state=inactive
exited_monotonic=40000000
uptime=100.00
socket=docker.socket
hold=L3J1bi9ob2xk
hold=!!
hold=L3J1bi9ob2xk
file_state=enabled
data_root=/var/lib/docker
swarm_dir=/var/lib/docker/swarm
swarm=present
swarm_real=/data/swarm
certificate=Y2VydA==
certificate_sha256=ff
has_key=1
locked=1
kek_version=12
has_root_ca=1
has_raft=1
state_file=e30=
swarm_bytes=8192
aside=100 1 4096 L2RhdGEvc3dhcm0uYmFr
aside=nonsense
total_bytes=2000000
free_bytes=1000000
free_inodes=0
total_inodes=0
token=9
` + runsText + "clock_end=1002.500000000\nend=1\n"
	before := time.Unix(990, 0)
	f, missing, err := parseProbe(text, "prod", before, before.Add(4*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	h := f.Host
	if h.System != "linux/arm64" || h.MachineID != "abc" || h.BootID != "boot1" || h.ClockSkew != 9500*time.Millisecond ||
		h.RunToken != 9 || len(h.Runs) != 2 || len(missing) != 1 || string(f.CertificatePEM) != "cert" || f.KEKVersion != "12" {
		t.Errorf("facts %+v, missing %v", f, missing)
	}
	if s := h.Service; s.Unit != "docker.service" || s.Socket != "docker.socket" || !s.ExitedAt.Equal(time.Unix(940, 500_000_000)) {
		t.Errorf("service %+v", s)
	}
	if s := h.Service; s.FileState != "enabled" || len(s.Holds) != 1 || s.Holds[0] != "/run/hold" {
		t.Errorf("what holds the service: %+v", s)
	}
	aside := state.SetAside{Path: "/data/swarm.bak", ChangedAt: time.Unix(100, 0).UTC(), HasRaft: true, Bytes: 4096}
	if len(h.SetAsides) != 1 || !h.SetAsides[0].ChangedAt.Equal(aside.ChangedAt) || h.SetAsides[0].Path != aside.Path || !h.SetAsides[0].HasRaft || h.SetAsides[0].Bytes != 4096 {
		t.Errorf("set aside: %+v", h.SetAsides)
	}
	if string(f.StateFile) != "{}" || h.SwarmDir.TotalBytes != 2000000 {
		t.Errorf("state file %q, %d bytes in total", f.StateFile, h.SwarmDir.TotalBytes)
	}
	if d := h.SwarmDir; d.Presence != state.Present || d.Path != "/data/swarm" || !d.HasKey || !d.Locked || !d.HasRootCA || !d.HasRaft ||
		d.HasStateFile || d.Bytes != 8192 || d.FreeInode == 0 {
		t.Errorf("swarm directory %+v", d)
	}
	if _, _, err := parseProbe(strings.TrimSuffix(text, "end=1\n"), "prod", before, before); err == nil {
		t.Error("a cut answer was taken")
	}
}

func TestProbeReadsTheDisk(t *testing.T) {
	f := newFakeHost(t)
	write(t, f.path("docker/swarm/certificates/swarm-node.key"),
		"-----BEGIN ENCRYPTED PRIVATE KEY-----\nkek-version: 5\nraft-dek: hidden\n\nBODY\n", 0o600)
	probe := func(root string) state.SwarmDir {
		facts, err := f.host.Probe(context.Background(), ProbeOptions{DataRoot: root, Cluster: "prod"})
		if err != nil {
			t.Fatal(err)
		}
		if facts.Host.MachineID != "machine1" || facts.Host.ClockSkew.Abs() > 5*time.Second {
			t.Errorf("facts %+v", facts.Host)
		}
		return facts.Host.SwarmDir
	}
	d := probe(f.path("docker"))
	if d.HasRootCA || d.RootCASHA256 != "" {
		t.Errorf("no root CA: %+v", d)
	}
	root := "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"
	write(t, f.path("docker/swarm/certificates/swarm-root-ca.crt"), root, 0o644)
	d = probe(f.path("docker"))
	if d.Presence != state.Present || !d.Locked || !d.HasKey || !d.HasRaft || !d.HasRootCA || d.RootCASHA256 == "" || d.RootCASHA256 != state.RootCADigest([]byte(root)) || d.CertificateSHA256 != f.run.CertificateSHA256 || d.Bytes == 0 || d.FreeBytes == 0 {
		t.Errorf("present: %+v", d)
	}
	write(t, f.path("empty/x"), "", 0o644)
	if d := probe(f.path("empty")); d.Presence != state.Absent {
		t.Errorf("absent: %+v", d)
	}
	write(t, f.path("remapped/1000.1000/swarm/x"), "", 0o644)
	if d := probe(f.path("remapped")); d.Presence != state.Unknown || d.Problem == nil || !strings.Contains(d.Problem.Text, "1000.1000/swarm instead") {
		t.Errorf("another candidate: %+v", d)
	}
	if d := probe(f.path("empty/x")); d.Presence != state.Unknown {
		t.Errorf("a file for a data root: %+v", d)
	}
	if err := f.host.Run(context.Background(), Command{Script: `mkdir "$1" && ln -s /nonexistent "$1/swarm"`, Args: []string{f.path("dangling")}}); err != nil {
		t.Fatal(err)
	}
	if d := probe(f.path("dangling")); d.Presence != state.Unknown {
		t.Errorf("a dangling link: %+v", d)
	}
}

// look probes the fake host.
func (f *fakeHost) look(root string) Facts {
	f.t.Helper()
	facts, err := f.host.Probe(context.Background(), ProbeOptions{DataRoot: root, Cluster: "prod"})
	if err != nil {
		f.t.Fatal(err)
	}
	return facts
}

// What others put beside the swarm directory is seen, whatever its name has in
// it; what is no swarm's state, and a link, is not.
func TestProbeSeesWhatIsSetAside(t *testing.T) {
	f := newFakeHost(t)
	odd := f.path("docker/swarm old\n'x'")
	write(t, f.path("docker/swarm.bak/certificates/swarm-node.crt"), "x", 0o600)
	write(t, odd+"/raft/wal-v3-encrypted/0.wal", "x", 0o600)
	write(t, f.path("docker/swarmy/x"), "", 0o600)
	write(t, f.path("docker/other/raft/wal/0.wal"), "", 0o600)
	write(t, f.path("docker/swarm/docker-state.json"), `{"AdvertiseAddr":"10.0.0.11"}`, 0o600)
	if err := os.Symlink(f.path("docker/swarm"), f.path("docker/swarm-link")); err != nil {
		t.Fatal(err)
	}
	facts := f.look(f.path("docker"))
	list := facts.Host.SetAsides
	if len(list) != 2 || list[0].Path != odd || !list[0].HasRaft || list[0].Bytes == 0 ||
		list[1].Path != f.path("docker/swarm.bak") || list[1].HasRaft || list[1].ChangedAt.IsZero() {
		t.Errorf("%+v", list)
	}
	if string(facts.StateFile) != `{"AdvertiseAddr":"10.0.0.11"}` || facts.Host.SwarmDir.TotalBytes == 0 {
		t.Errorf("state file %q, %+v", facts.StateFile, facts.Host.SwarmDir)
	}
}

// Where a link leads to the swarm directory, both places are looked at.
func TestProbeSeesWhatIsSetAsideBeyondALink(t *testing.T) {
	f := newFakeHost(t)
	for _, name := range []string{"data/swarm-live/raft", "data/swarm.bak/raft", "linked/swarm-old/certificates"} {
		write(t, f.path(name+"/x"), "", 0o600)
	}
	if err := os.Symlink(f.path("data/swarm-live"), f.path("linked/swarm")); err != nil {
		t.Fatal(err)
	}
	h := f.look(f.path("linked")).Host
	if len(h.SetAsides) != 2 || h.SetAsides[0].Path != f.path("data/swarm.bak") || h.SetAsides[1].Path != f.path("linked/swarm-old") ||
		h.SwarmDir.Path != f.path("data/swarm-live") {
		t.Errorf("%+v in %s", h.SetAsides, h.SwarmDir.Path)
	}
}

func TestProbeEndsWithTwentySetAside(t *testing.T) {
	f := newFakeHost(t)
	for i := range 23 {
		write(t, f.path(fmt.Sprintf("docker/swarm.%d/raft/x", i)), "", 0o600)
	}
	if n := len(f.look(f.path("docker")).Host.SetAsides); n != 20 {
		t.Errorf("%d are told", n)
	}
}

// A file keeps the engine from starting if the unit's conditions, as they are
// after all drop-ins, name it with a "!" and it is there.
func TestProbeSeesWhatHoldsTheUnit(t *testing.T) {
	f := newFakeHost(t)
	for _, name := range []string{"hold", "hold two", "back", "positive", "one-of-several", "socket"} {
		write(t, f.path("held/"+name), "", 0o600)
	}
	at := f.path("held")
	unit := func(name, property, text string) { write(t, f.path("units/"+name+"."+property), text, 0o644) }
	unit("docker.service", "LoadState", "loaded\n")
	unit("docker.service", "UnitFileState", "disabled\n")
	unit("docker.service", "TriggeredBy", "docker.socket\n")
	unit("docker.service", "text", "# /lib/systemd/system/docker.service\n[Unit]\nConditionPathExists=!"+at+"/back\n"+
		"ConditionPathExists=\n#ConditionPathExists=!"+at+"/back\nConditionPathExists=!"+at+"/hold\n  ConditionPathExists = ! "+at+"/hold two\t\n"+
		"ConditionKernelCommandLine=a=\nConditionPathExists="+at+"/positive\nConditionPathExists=|!"+at+"/one-of-several\n"+
		"ConditionPathExists=!"+at+"/gone\nConditionPathExists=!held")
	unit("docker.socket", "text", "[Unit]\nConditionPathExists=!"+at+"/socket") // without a newline
	s := f.look(f.path("docker")).Host.Service
	if want := []string{at + "/hold", at + "/hold two", at + "/socket"}; !slices.Equal(s.Holds, want) {
		t.Errorf("held by %q, want %q", s.Holds, want)
	}
	if s.Unit != "docker.service" || s.Socket != "docker.socket" || s.FileState != "disabled" {
		t.Errorf("%+v", s)
	}
}

// A masked unit can't be started: it is told as masked, and not as a unit to use.
func TestProbeSeesAMaskedUnit(t *testing.T) {
	f := newFakeHost(t)
	write(t, f.path("units/docker.service.LoadState"), "masked\n", 0o644)
	write(t, f.path("units/docker.service.UnitFileState"), "masked-runtime\n", 0o644)
	if s := f.look(f.path("docker")).Host.Service; s.FileState != "masked" || s.Unit != "" {
		t.Errorf("%+v", s)
	}
}

func TestProbeNamesMissingTools(t *testing.T) {
	f := newFakeHost(t)
	write(t, f.path("few/sh"), "#!/bin/sh\n", 0o755)
	script := strings.Replace(probeScript, "command -v $t", "[ $t != systemd-run ] && command -v $t", 1)
	text, err := f.host.Output(context.Background(), Command{Script: mountsScript + listScript + script, Args: []string{f.path("state"), "", "", ""}, Root: true})
	if err != nil {
		t.Fatal(err)
	}
	_, missing, err := parseProbe(text, "", time.Now(), time.Now())
	if err != nil || len(missing) != 1 || missing[0] != "systemd-run" {
		t.Errorf("missing %v, %v", missing, err)
	}
	if !errors.Is(f.host.refused(&ExitError{Status: 105}), ErrIncomplete) {
		t.Error("status 105 is not ErrIncomplete")
	}
}
