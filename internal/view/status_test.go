package view_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/status"
	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/schema"
)

var update = flag.Bool("update", false, "write the screens anew")

// report judges one of plan's golden cases.
func report(t *testing.T, name string, change func(*schema.Config, *state.State)) *status.Report {
	t.Helper()
	dir := filepath.Join("..", "..", "plan", "testdata", name)
	cfg, ds := schema.Load(dir, schema.Options{})
	if cfg == nil {
		t.Fatal(ds)
	}
	data, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	st := new(state.State)
	if err := json.Unmarshal(data, st); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(cfg, st)
	}
	r, err := status.Judge(status.Input{Config: cfg, State: st, Now: st.ObservedAt, Thresholds: status.Defaults()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The screens as a person sees them, for 80 and for 200 columns, with and
// without colours.
func TestStatusScreens(t *testing.T) {
	for name, change := range map[string]func(*schema.Config, *state.State){
		"fresh": opened, "due": nil, "all-locked": nil, "all-stopped": nil, "all-unknown": nil, "damaged-newest": nil, "large": large, "troubles": troubles, "recovered": recovered,
	} {
		from := name
		if _, err := os.Stat(filepath.Join("..", "..", "plan", "testdata", name)); err != nil {
			from = "fresh"
		}
		r := report(t, from, change)
		for _, s := range []view.Screen{{Width: 80}, {Width: 200}, {Width: 80, Color: true}} {
			var out bytes.Buffer
			s.Out = &out
			s.Status(r, false)
			file := fmt.Sprintf("%s-%d", name, s.Width)
			text := out.String()
			if s.Color {
				text, file = strings.ReplaceAll(text, "\x1b", "␛"), file+"-colour"
			} else {
				fits(t, file, text, s.Width)
			}
			golden(t, filepath.Join("testdata", "status", file+".txt"), text)
		}
	}
}

func fits(t *testing.T, name, text string, width int) {
	t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		if n := utf8.RuneCountInString(line); n > width {
			t.Errorf("%s: a line has %d columns: %s", name, n, line)
		}
	}
}

func golden(t *testing.T, path, have string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(have), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != have {
		t.Errorf("%s differs (%v); go test ./internal/view -update\n%s", path, err, have)
	}
}

func opened(_ *schema.Config, st *state.State) {
	for i := range st.Repositories[0].Backups {
		st.Repositories[0].Backups[i].OpenedAt = st.ObservedAt.Add(-time.Hour)
	}
}

// large is a swarm of fifty nodes, of which one worker is down.
func large(cfg *schema.Config, st *state.State) {
	opened(cfg, st)
	worker, entry := *st.Host("w1"), st.Swarm.Nodes[len(st.Swarm.Nodes)-1]
	for i := 2; i <= 47; i++ {
		h, n, c := worker, entry, *cfg.Node("w1")
		h.Name, h.Address, h.MachineID = fmt.Sprintf("w%d", i), fmt.Sprintf("10.0.1.%d", i), fmt.Sprintf("machine-w%d", i)
		h.Engine.NodeAddr, h.SwarmDir.AdvertiseAddr = h.Address, ""
		h.Engine.NodeID, h.SwarmDir.NodeID = fmt.Sprintf("nodew%d", i), fmt.Sprintf("nodew%d", i)
		n.ID, n.Hostname, n.Addr = h.Engine.NodeID, h.Name, h.Address
		c.Name, c.Address = h.Name, h.Address
		if i == 30 {
			n.Status, h.Service.ActiveState, h.Engine = "down", "failed", state.Engine{Answered: state.Absent}
		}
		st.Hosts, st.Swarm.Nodes, cfg.Nodes = append(st.Hosts, h), append(st.Swarm.Nodes, n), append(cfg.Nodes, c)
	}
}

// recovered is a swarm after a recovery: a host that is still fenced, a set-aside
// that a backup has made superfluous, and one that is kept.
func recovered(_ *schema.Config, st *state.State) {
	opened(nil, st)
	m1, m2 := st.Host("m1"), st.Host("m2")
	const id, old = "20250309T030000Z-5f0c9a", "20250308T010000Z-aaaaaa"
	b := &st.Repositories[0].Backups[0]
	m1.SetAsides = []state.SetAside{{Path: m1.SwarmDir.Path + ".requeen-" + old, HasRaft: true, Bytes: 420 << 10, ChangedAt: b.TakenAt.Add(-time.Hour)},
		{Path: m1.SwarmDir.Path + ".requeen-" + id, HasRaft: true, Bytes: 430 << 10, ChangedAt: b.TakenAt.Add(time.Hour)}}
	m1.Recoveries = []state.HostRecovery{{ID: old, Cluster: "prod", Phase: state.RecoveryLifted, Aside: m1.SetAsides[0].Path},
		{ID: id, Cluster: "prod", Phase: state.RecoveryLifted, Aside: m1.SetAsides[1].Path}}
	safety := *b
	safety.ID, safety.Kind = old, state.KindSafety
	st.Repositories[0].Backups = append(st.Repositories[0].Backups, safety)
	volumes := []string{strings.Repeat("0123456789abcdef", 4), strings.Repeat("fedcba9876543210", 4)}
	st.Host("w1").VolumeHolders = []state.VolumeHolder{{ID: "h1", Name: "requeen-" + id + "-0a1b2c3d4e5f", State: "created", Recovery: id, Volumes: volumes, CreatedAt: b.TakenAt.Add(time.Hour)}}
	m2.VolumeHolders = []state.VolumeHolder{{ID: "h2", Name: "requeen-" + id + "-aaaaaaaaaaaa", State: "created", Recovery: id, Volumes: volumes[:1], CreatedAt: b.TakenAt.Add(time.Hour)}}
	m2.Service.Holds = []string{"/var/lib/requeen/recoveries/" + id + "/hold"}
	m2.Service.ActiveState, m2.Engine = "inactive", state.Engine{Answered: state.Absent}
	m2.Recoveries = []state.HostRecovery{{ID: id, Cluster: "prod", Phase: state.RecoveryFenced, Held: true}}
}

// troubles has one of everything that status tells of a host and a repository.
func troubles(_ *schema.Config, st *state.State) {
	m1, m2, m3 := st.Host("m1"), st.Host("m2"), st.Host("m3")
	m1.ClockSkew = -3 * time.Minute
	m1.SwarmDir.CertificateExpiry = st.ObservedAt.Add(50 * time.Hour)
	m2.SwarmDir.FreeBytes, m2.SwarmDir.TotalBytes = 200<<20, 40<<30
	m2.Service.FileState = "disabled"
	m2.SetAsides = []state.SetAside{{Path: "/var/lib/docker/swarm.old", HasRaft: true, Bytes: 62 << 20, ChangedAt: st.ObservedAt.Add(-400 * time.Hour)}}
	m3.Service.Holds = []string{"/etc/requeen/hold"}
	m3.SwarmDir.CertificateExpiry = st.ObservedAt.Add(-time.Hour)
	st.Swarm.RootRotating = true
	st.Swarm.Nodes[0].EngineVersion = "20.10.24"
	st.Repositories[0].Lock = &state.Lock{Number: 3, Owner: "ops@laptop 4711", CreatedAt: st.ObservedAt.Add(-3 * time.Hour)}
}
