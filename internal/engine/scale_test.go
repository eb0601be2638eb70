package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestQuiesceAndResume: the record comes and goes in the very update that changes the
// scale, and nothing else of the spec changes.
func TestQuiesceAndResume(t *testing.T) {
	const zero, record = `"Replicated": {"Replicas": 0}`, `, "io.requeen.scale": "3"`
	held := `, "io.requeen.scale": "global"`
	for name, test := range map[string]struct {
		labels, mode string
		resume       bool
		want         string // what was sent: the record, the mode and the constraints; empty where nothing was
	}{
		"quiesce":                             {"", replicated, false, `"3" map[Replicated:map[Replicas:0]] [node.labels.zone==a]`},
		"quiesce again":                       {record, zero, false, ""},
		"quiesce what was scaled up since":    {`, "io.requeen.scale": "9"`, replicated, false, `"3" map[Replicated:map[Replicas:0]] [node.labels.zone==a]`},
		"quiesce a global one":                {"", `"Global": {}`, false, `"global" map[Global:map[]] [node.labels.zone==a node.id==io.requeen.quiesced]`},
		"resume":                              {record, zero, true, `"" map[Replicated:map[Replicas:3]] [node.labels.zone==a]`},
		"resume what carries no record":       {"", zero, true, ""},
		"resume what was scaled up since":     {`, "io.requeen.scale": "9"`, replicated, true, `"" map[Replicated:map[Replicas:3]] [node.labels.zone==a]`},
		"resume a global one":                 {held, `"Global": {}`, true, `"" map[Global:map[]] [node.labels.zone==a]`},
		"resume what waits for its data, too": {record + `, "io.requeen.scale-waits": "20250310T030001Z-5f0c9a"`, zero, true, `"" map[Replicated:map[Replicas:3]] [node.labels.zone==a]`},
	} {
		t.Run(name, func(t *testing.T) {
			found := servicesAt(33, test.labels, test.mode, "")
			if strings.Contains(test.labels, "global") {
				found.body = strings.Replace(found.body, `"node.labels.zone==a"`, `"node.labels.zone==a", "node.id==io.requeen.quiesced"`, 1)
			}
			r := newReplay(t, "1.41", map[string]answer{"GET /services": found, "POST /services/s1/update": {body: `{}`}})
			call := r.client().QuiesceService
			if test.resume {
				call = r.client().ResumeService
			}
			if err := call(t.Context(), "web"); err != nil {
				t.Fatal(err)
			}
			sent := r.sent("POST /services/s1/update")
			if test.want == "" || len(sent) != 1 {
				if test.want != "" || len(sent) != 0 {
					t.Errorf("sent %v", sent)
				}
				return
			}
			spec := fields(t, sent[0])
			labels := spec["Labels"].(map[string]any)
			scale, _ := labels["io.requeen.scale"].(string)
			placement := spec["TaskTemplate"].(map[string]any)["Placement"].(map[string]any)
			if d := cmp.Diff(test.want, fmt.Sprintf("%q %v %v", scale, spec["Mode"], placement["Constraints"])); d != "" {
				t.Error(d)
			}
			if _, waits := labels["io.requeen.scale-waits"]; waits || labels["com.docker.stack.namespace"] != "shop" {
				t.Errorf("labels are %v", labels)
			}
		})
	}
}

func TestQuiesceRefuses(t *testing.T) {
	r := newReplay(t, "1.41", map[string]answer{"GET /services": servicesAt(33, "", `"ReplicatedJob": {"TotalCompletions": 3}`, "")})
	if err := r.client().QuiesceService(t.Context(), "web"); err == nil || !strings.Contains(err.Error(), "is a job") {
		t.Errorf("a job: %v", err)
	}
	r = newReplay(t, "1.41", map[string]answer{"GET /services": servicesAt(33, `, "io.requeen.scale": "many"`, replicated, "")})
	if err := r.client().ResumeService(t.Context(), "web"); err == nil || !strings.Contains(err.Error(), "is no scale") {
		t.Errorf("a record that can't be read: %v", err)
	}
}

// A task that is being stopped may still write: only one that is over counts as gone.
func TestServiceScaleCountsWhatIsAlive(t *testing.T) {
	r := newReplay(t, "1.41", map[string]answer{"GET /services": servicesAt(33, `, "io.requeen.scale": "3"`, `"Replicated": {"Replicas": 0}`, ""), "GET /tasks": {body: `[
		{"ID": "t1", "ServiceID": "s1", "DesiredState": "remove", "Status": {"State": "running"}},
		{"ID": "t2", "ServiceID": "s1", "DesiredState": "shutdown", "Status": {"State": "shutdown"}},
		{"ID": "t3", "ServiceID": "s1", "DesiredState": "shutdown", "Status": {"State": "failed"}}]`}})
	scale, alive, _, _, err := r.client().ServiceScale(t.Context(), "web")
	if err != nil || alive != 1 || scale.Scale != "3" || scale.Replicas != 0 {
		t.Errorf("%+v, %d alive, %v", scale, alive, err)
	}
}
