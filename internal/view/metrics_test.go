package view_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/schema"
)

// timed gives the cluster a schedule whose last run failed.
func timed(cfg *schema.Config, st *state.State) {
	cfg.Backups[0].Schedule = &schema.Schedule{At: "03:10", On: "m1"}
	st.Host("m1").Schedules = []state.HostSchedule{{Cluster: "prod", Backup: "state", Timer: "active",
		Last: &state.ScheduledRun{EndedAt: st.ObservedAt.Add(-time.Hour), Took: 12500 * time.Millisecond}}}
}

// TestMetrics compares with golden files: monitoring rests on every name and label.
func TestMetrics(t *testing.T) {
	for name, from := range map[string]string{"fresh": "fresh", "scheduled": "fresh", "all-stopped": "all-stopped"} {
		change := map[string]func(*schema.Config, *state.State){"scheduled": timed}[name]
		have := view.Metrics(report(t, from, change))
		file := filepath.Join("testdata", "metrics", name+".prom")
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(have), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if have != string(want) {
			t.Errorf("%s: the metrics are\n%s", file, have)
		}
		eachOnce(t, have)
	}
}

// eachOnce checks what Prometheus asks for: each family told once, before its samples,
// and no sample twice.
func eachOnce(t *testing.T, text string) {
	t.Helper()
	family, told, seen := "", map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "# HELP "):
			if family = words[2]; told[family] {
				t.Errorf("%s is told twice", family)
			}
			told[family] = true
		case strings.HasPrefix(line, "# TYPE "):
			if words[2] != family || words[3] != "gauge" {
				t.Errorf("the type does not follow its help: %s", line)
			}
		default:
			series, _, _ := strings.Cut(line, "} ")
			if name, _, _ := strings.Cut(line, "{"); name != family || seen[series] {
				t.Errorf("out of place, or twice: %s", line)
			}
			seen[series] = true
		}
	}
	if !strings.HasSuffix(text, "\n") {
		t.Error("the last line does not end")
	}
}
