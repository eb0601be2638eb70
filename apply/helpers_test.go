package apply_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/plan"
)

var digest = "sha256:" + strings.Repeat("ab", 32)

// thePlan is a backup of m2, as package plan makes it for the world.
func thePlan(w *applytest.World) *plan.Plan {
	st := w.State()
	p := &plan.Plan{FormatVersion: 1, Cluster: applytest.ClusterName, SwarmID: applytest.SwarmID, PlannedAt: st.ObservedAt,
		Summary: "1 backup", Fingerprint: plan.Fingerprint{SwarmID: applytest.SwarmID, Autolock: w.Autolock}}
	for _, n := range st.Swarm.Nodes {
		p.Fingerprint.Managers = append(p.Fingerprint.Managers,
			plan.ManagerPrint{NodeID: n.ID, Name: n.Hostname, Reachable: true, MustNotLead: n.ID == "node2"})
	}
	h := st.Host("m2")
	p.Fingerprint.Hosts = []plan.HostPrint{{Name: "m2", MachineID: h.MachineID, HostKey: h.HostKey, NodeID: "node2", ClusterID: applytest.SwarmID}}
	p.Fingerprint.NewestBackups = []plan.BackupPrint{{Backup: "state", Repository: "offsite", MaxAgeSeconds: 86400}}
	add := func(k plan.Kind, seconds int) {
		p.Steps = append(p.Steps, plan.Step{ID: len(p.Steps) + 1, Kind: k, Node: "m2", NodeID: "node2", Backup: "state",
			Repository: "offsite", Reason: "because", Risk: plan.Safe, Margin: plan.Margin{Managers: 3, Up: 2, Quorum: 2}, TimeoutSeconds: seconds})
	}
	add(plan.Stop, 60)
	add(plan.Archive, 120)
	add(plan.Start, 120)
	if w.Autolock {
		add(plan.Unlock, 120)
	}
	add(plan.Verify, 3600)
	return p
}

// request is a run of the plan with journals under root.
func request(p *plan.Plan, root string) apply.Request {
	n := 0
	return apply.Request{Plan: p, Digest: digest, PlanBytes: []byte(p.Summary), JournalRoot: root,
		NewID: func(now time.Time) string {
			n++
			return fmt.Sprintf("%s-%06x", now.Format("20060102T150405Z"), n)
		},
		ToolVersion: "test", Owner: "op@laptop 1"}
}

// start runs and, where the hook panics, is killed there.
func start(p *applytest.Process, q apply.Request) (res apply.Result, err error, killed bool) {
	defer func() {
		if v := recover(); v != nil {
			if _, ok := v.(kill); !ok {
				panic(v)
			}
			p.Kill()
			killed = true
		}
	}()
	res, err = apply.Start(context.Background(), p.Ports(), q)
	return res, err, false
}

// kill is the panic that stands for the end of the process.
type kill struct{}

func mustEnd(t *testing.T, w *applytest.World, backups int) {
	t.Helper()
	for _, wrong := range w.End(backups) {
		t.Error(wrong)
	}
}

func texts(p *applytest.Process, kind apply.EventType) string {
	var b strings.Builder
	for _, e := range p.Events {
		if e.Type == kind {
			fmt.Fprintf(&b, "%d %s %s %s%s\n", e.Step, e.Kind, e.Node, e.Text, e.Error)
		}
	}
	return b.String()
}
