package status_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/status"
	"github.com/requeen/requeen/schema"
)

// judged judges one of plan's golden cases after a change.
func judged(t *testing.T, name string, change func(*status.Input)) *status.Report {
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
	for i := range st.Repositories {
		for k := range st.Repositories[i].Backups {
			st.Repositories[i].Backups[k].OpenedAt = st.ObservedAt.Add(-time.Hour)
		}
	}
	in := status.Input{Config: cfg, State: st, Now: st.ObservedAt, Thresholds: status.Defaults()}
	if change != nil {
		change(&in)
	}
	r, err := status.Judge(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func host(in *status.Input, name string) *state.Host { return in.State.Host(name) }

func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		from    string
		change  func(*status.Input)
		verdict status.Verdict
		says    string // in a finding's text or remedy
	}{
		"fresh":                {"fresh", nil, status.Fine, ""},
		"drained":              {"drained-manager", nil, status.Attention, "is due"},
		"due":                  {"due", nil, status.Attention, "requeen apply"},
		"none ever":            {"none-ever", nil, status.Attention, "no verified backup"},
		"damaged":              {"damaged-newest", nil, status.Attention, "damaged"},
		"suspect":              {"suspect-newest", nil, status.Attention, "suspect"},
		"nobody looked":        {"all-unknown", func(in *status.Input) { in.Config.Backups = nil }, status.Attention, "No backup is declared"},
		"repository":           {"repository-unusable", nil, status.Unsure, "could not be looked at"},
		"stopped":              {"all-stopped", nil, status.Attention, "engines are started or managers unlocked"},
		"locked":               {"all-locked", nil, status.Attention, "docker swarm unlock"},
		"orphaned":             {"all-orphaned", nil, status.Attention, "requeen plan has a way back"},
		"one down":             {"three-one-down", nil, status.Attention, "degraded"},
		"split":                {"split", nil, status.Attention, "split"},
		"held by another's":    {"elsewhere-fenced", nil, status.Attention, "Only a plan of that cluster lets it go"},
		"split, epochs told":   {"split-epochs", nil, status.Attention, "Stop the engines of the older side: m1 and m3 (the first epoch)"},
		"two swarms":           {"two-swarms", nil, status.Attention, "More than one swarm ID"},
		"one machine twice":    {"one-machine-twice", nil, status.Attention, ""},
		"a manager undeclared": {"undeclared-manager", nil, status.Attention, "which no node block declares"},
		"shape":                {"shape-labels", nil, status.Attention, "requeen apply brings it about"},
		"a run is at work":     {"run-in-progress", nil, status.Attention, "at work"},
		"a run left something": {"leftover-not-due", nil, status.Attention, "requeen apply finishes or removes it"},
		"two managers":         {"two-managers", nil, status.Attention, "even number"},
		"journal": {"fresh", func(in *status.Input) { in.Unfinished = []status.Run{{Digest: "sha256:x", Dir: "/j", BeganAt: in.Now}} }, status.Attention,
			"requeen apply finishes it"},
		"journal of a run at work": {"fresh", func(in *status.Input) { in.Unfinished = []status.Run{{Dir: "/j", BeganAt: in.Now, Running: true}} }, status.Fine, "at work on this machine"},
		"skew":                     {"fresh", func(in *status.Input) { host(in, "w1").ClockSkew = 2 * time.Minute }, status.Attention, "2 min ahead of"},
		"skew within":              {"fresh", func(in *status.Input) { host(in, "w1").ClockSkew = -59 * time.Second }, status.Fine, ""},
		"full disk": {"fresh", func(in *status.Input) {
			host(in, "m3").SwarmDir.FreeBytes, host(in, "m3").SwarmDir.TotalBytes = 1<<20, 1<<40
		}, status.Attention, "m3 has 1024 KiB free"},
		"a worker's disk": {"fresh", func(in *status.Input) { host(in, "w1").SwarmDir.FreeBytes = 1 }, status.Fine, ""},
		"certificate":     {"fresh", func(in *status.Input) { host(in, "m1").SwarmDir.CertificateExpiry = in.Now.Add(300 * time.Hour) }, status.Attention, "good for 12 d only"},
		"a short-lived certificate": {"fresh", func(in *status.Input) {
			in.State.Swarm.Settings = &state.SwarmSettings{CertExpiry: 10 * time.Hour}
			for i := range in.State.Hosts {
				in.State.Hosts[i].SwarmDir.CertificateExpiry = in.Now.Add(3 * time.Hour)
			}
		}, status.Fine, ""},
		"expired":      {"fresh", func(in *status.Input) { host(in, "m1").SwarmDir.CertificateExpiry = in.Now.Add(-time.Hour) }, status.Attention, "expired 60 min ago"},
		"masked":       {"fresh", func(in *status.Input) { host(in, "w1").Service.FileState = "masked" }, status.Attention, "systemctl unmask docker.service"},
		"held":         {"fresh", func(in *status.Input) { host(in, "m2").Service.Holds = []string{"/x"} }, status.Attention, "there is /x"},
		"set aside":    {"fresh", func(in *status.Input) { host(in, "m2").SetAsides = []state.SetAside{{Path: "/y", HasRaft: true}} }, status.Fine, "a whole cluster"},
		"lock":         {"lock-held", nil, status.Attention, "force-unlock"},
		"opened":       {"fresh", func(in *status.Input) { in.Thresholds.OpenedAge = time.Minute }, status.Attention, "last opened"},
		"never opened": {"fresh", func(in *status.Input) { in.State.Repositories[0].Backups[0].OpenedAt = time.Time{} }, status.Attention, "ever opened"},
		"a worker without connection that is down": {"fresh", func(in *status.Input) {
			*host(in, "w1") = state.Host{Name: "w1", Address: "10.0.0.21", Target: "none"}
			in.State.Swarm.Nodes[3].Status = "down"
		}, status.Attention, "the swarm says down"},
		"a worker without connection": {"fresh", func(in *status.Input) {
			*host(in, "w1") = state.Host{Name: "w1", Address: "10.0.0.21", Target: "none"}
		}, status.Fine, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := judged(t, c.from, c.change)
			if r.Verdict != c.verdict {
				t.Errorf("%s, want %s: %+v", r.Verdict, c.verdict, r.Findings)
			}
			said := false
			for _, f := range r.Findings {
				said = said || strings.Contains(f.Text+" "+f.Remedy, c.says)
				if f.Text == "" || f.Severity == status.NeedsHand && f.Remedy == "" {
					t.Errorf("a finding says nothing, or not what to do: %+v", f)
				}
			}
			if c.says != "" && !said {
				t.Errorf("nothing says %q: %+v", c.says, r.Findings)
			}
		})
	}
}

// Of every case that plan knows a report can be made, and it is fine only
// where a plan has nothing to do.
func TestEveryCase(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join("..", "..", "plan", "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join("..", "..", "plan", "testdata", e.Name(), "state.json")); err != nil {
			continue
		}
		r := judged(t, e.Name(), nil)
		for _, b := range r.Backups {
			if b.Due && r.Verdict != status.Attention {
				t.Errorf("%s: a backup is due, and the verdict is %s", e.Name(), r.Verdict)
			}
		}
		if r.Verdict == status.Fine && r.Condition.Name != "healthy" {
			t.Errorf("%s: fine, and %s", e.Name(), r.Condition.Name)
		}
	}
}
