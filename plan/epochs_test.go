package plan_test

import (
	"testing"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// TestAnEpochThatWasLeftIsNoSurvivor: m2 comes back with the log of before a recovery
// whose cluster is lost since. However far that log reaches, what is brought back is
// of the newer epoch: out of m1, which holds it, else out of its backup.
func TestAnEpochThatWasLeftIsNoSurvivor(t *testing.T) {
	const epoch = "20250310T010000Z-c0ffee"
	for name, c := range map[string]struct {
		held bool // m1 holds a log of the newer epoch
		rung plan.Rung
		node string
	}{
		"in a log":    {true, plan.RungForce, "m1"},
		"in a backup": {false, plan.RungRestore, "m1"},
	} {
		e := emergency{managers: []string{"forgot", "forgot", "empty"}, ahead: -1, terms: terms{backup: "fresh", allow: allowances()[15]}}
		if !c.held {
			e.managers[0] = "empty"
		}
		d := e.world()
		st := d.observe()
		st.Repositories[0].Backups = append([]state.Backup{}, st.Repositories[0].Backups...)
		b := &st.Repositories[0].Backups[0]
		b.Epoch, b.Raft.Term = epoch, 1007
		old := st.Host("m2").SwarmDir.Raft
		old.Term, old.VotedTerm, old.Index = 2000, 2000, 5000 // elections on, with nobody to lead
		if c.held {
			own := st.Host("m1").SwarmDir.Raft
			own.Epoch, own.Term, own.Index = epoch, 1007, 970
		}
		p, err := plan.Build(plan.Input{Config: d.cfg, State: st, Now: observedAt.Add(time.Minute)})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if rungOf(p) != c.rung || p.Recovery.Node != c.node {
			t.Errorf("%s: %+v, unmet %s", name, p.Recovery, unmetText(p))
			continue
		}
		for _, s := range p.Recovery.Survivors {
			if s.Node == "m2" {
				t.Errorf("%s: m2 is compared as a survivor", name)
			}
		}
		if !hazarded(p, diag.SurvivorBehind, "m2") {
			t.Errorf("%s: that m2 holds what was left is not told: %q", name, codesOf(p))
		}
		if p.Recovery.TermAbove < 2000 {
			t.Errorf("%s: the term is lifted above %d, and m2 was in 2000", name, p.Recovery.TermAbove)
		}
	}
}

func hazarded(p *plan.Plan, code, node string) bool {
	for _, h := range p.Hazards {
		if h.Code == code && h.Node == node {
			return true
		}
	}
	return false
}

// TestWhatAForcedLogMustKnow: of every log that was read, whoever's, all raft IDs but
// the survivor's own are never members again, and every term is below the new one
// (safety rule 1).
func TestWhatAForcedLogMustKnow(t *testing.T) {
	e := emergency{managers: []string{"forgot", "forgot", "forgot"}, ahead: 1, terms: terms{allow: []string{schema.AllowForceNewCluster}}}
	d := e.world()
	st := d.observe()
	st.Host("m3").SwarmDir.Raft.EverSeen = []string{"beef"}
	st.Host("m3").SwarmDir.Raft.VotedTerm = 44
	p, err := plan.Build(plan.Input{Config: d.cfg, State: st, Now: observedAt})
	if err != nil {
		t.Fatal(err)
	}
	own := "f" + idOf("m2")
	want := map[string]bool{"beef": true, "f" + idOf("m1"): true, "f" + idOf("m3"): true}
	for _, id := range p.Recovery.RaftIDs {
		if id == own || !want[id] {
			t.Errorf("the raft ID %s may never be a member again", id)
		}
		delete(want, id)
	}
	if p.Recovery.Node != "m2" || len(want) > 0 || p.Recovery.TermAbove != 44 {
		t.Errorf("%+v; not among the raft IDs: %v", p.Recovery, want)
	}
}
