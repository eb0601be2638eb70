package raftdir_test

import (
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/state"
)

var created = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

func report(change func(*state.RaftReport)) state.RaftReport {
	r := state.RaftReport{
		ClusterID: "c1", ClusterCreated: created, Term: 5, Index: 1000,
		Objects: state.Objects{Nodes: 6, Services: 10, Secrets: 6, Configs: 4, Tasks: 40, Networks: 3},
	}
	if change != nil {
		change(&r)
	}
	return r
}

// at is a good backup, taken so many hours in.
func at(id string, hour int, change func(*state.Backup)) state.Backup {
	b := state.Backup{ID: id, SwarmID: "c1", Kind: state.KindRegular, TakenAt: created.Add(time.Duration(hour) * time.Hour), Verified: "raft", Raft: report(nil)}
	if change != nil {
		change(&b)
	}
	return b
}

func objects(o state.Objects) func(*state.RaftReport) {
	return func(r *state.RaftReport) { r.Objects = o }
}

func held(o state.Objects) state.Backup {
	return at("b1", 1, func(b *state.Backup) { b.Raft.Objects = o })
}

var suspects = map[string]struct {
	report  func(*state.RaftReport)
	earlier []state.Backup
	reasons []string // a word of each, in order
}{
	"the first backup":         {},
	"the same once more":       {earlier: []state.Backup{at("b1", 1, nil)}},
	"the swarm went on":        {report: func(r *state.RaftReport) { r.Index = 1200 }, earlier: []state.Backup{at("b1", 1, nil)}},
	"a new term, lower index":  {report: func(r *state.RaftReport) { r.Term, r.Index = 6, 900 }, earlier: []state.Backup{at("b1", 1, nil)}},
	"another swarm's backups":  {report: func(r *state.RaftReport) { r.ClusterID = "c2"; r.Index = 1 }, earlier: []state.Backup{at("b1", 1, nil)}},
	"the creation time moved":  {report: func(r *state.RaftReport) { r.ClusterCreated = created.Add(time.Nanosecond) }, earlier: []state.Backup{at("b1", 1, nil)}, reasons: []string{"created"}},
	"the creation time is out": {report: func(r *state.RaftReport) { r.ClusterCreated = time.Time{} }, earlier: []state.Backup{at("b1", 1, nil)}, reasons: []string{"unknown time"}},
	"the same instant elsewhere": {
		report: func(r *state.RaftReport) { r.ClusterCreated = created.In(time.FixedZone("", 7200)) }, earlier: []state.Backup{at("b1", 1, nil)},
	},
	"an earlier backup without a creation time": {earlier: []state.Backup{at("b1", 1, func(b *state.Backup) { b.Raft.ClusterCreated = time.Time{} })}},

	"the index fell": {report: func(r *state.RaftReport) { r.Index = 999 }, earlier: []state.Backup{at("b1", 1, nil)}, reasons: []string{"index 999"}},
	"the term fell":  {report: func(r *state.RaftReport) { r.Term, r.Index = 4, 2000 }, earlier: []state.Backup{at("b1", 1, nil)}, reasons: []string{"term 4"}},
	"behind the highest, not the newest": {
		report:  func(r *state.RaftReport) { r.Index = 1500 },
		earlier: []state.Backup{at("b2", 2, nil), at("b1", 1, func(b *state.Backup) { b.Raft.Index = 2000 })},
		reasons: []string{"b1"},
	},
	"an index of a new epoch": {report: func(r *state.RaftReport) { r.Epoch, r.Term, r.Index = "e2", 1, 1 }, earlier: []state.Backup{at("b1", 1, nil)}},

	"an epoch that was left, by time": {
		report: func(r *state.RaftReport) { r.Epoch = "e1"; r.Index = 9000 },
		earlier: []state.Backup{
			at("b2", 2, func(b *state.Backup) { b.Raft.Epoch = "e2" }), at("b1", 1, func(b *state.Backup) { b.Raft.Epoch = "e1" }),
		},
		reasons: []string{"later epoch e2"},
	},
	"an epoch that was left, by its child": {
		report:  func(r *state.RaftReport) { r.Epoch = "e1" },
		earlier: []state.Backup{at("b2", 2, func(b *state.Backup) { b.Raft.Epoch, b.ParentEpoch = "e2", "e1" })},
		reasons: []string{"epoch e1 was left"},
	},
	"the first epoch came back": {
		earlier: []state.Backup{at("b2", 2, func(b *state.Backup) { b.Raft.Epoch = "e2" })},
		reasons: []string{"without a name"},
	},
	"the newest epoch goes on": {
		report: func(r *state.RaftReport) { r.Epoch = "e2" },
		earlier: []state.Backup{
			at("b2", 2, func(b *state.Backup) { b.Raft.Epoch, b.ParentEpoch = "e2", "e1" }), at("b1", 1, func(b *state.Backup) { b.Raft.Epoch = "e1" }),
		},
	},

	"a fifth is left":        {report: objects(state.Objects{Nodes: 6, Services: 2, Secrets: 1, Configs: 1}), earlier: []state.Backup{at("b1", 1, nil)}},
	"less than a fifth":      {report: objects(state.Objects{Nodes: 6, Services: 2, Secrets: 1}), earlier: []state.Backup{at("b1", 1, nil)}, reasons: []string{"holds 3 services"}},
	"four of four, one left": {report: objects(state.Objects{Nodes: 6, Services: 1}), earlier: []state.Backup{held(state.Objects{Nodes: 6, Services: 4})}},
	"five of five, one left": {report: objects(state.Objects{Nodes: 6, Services: 1}), earlier: []state.Backup{held(state.Objects{Nodes: 6, Services: 5})}},
	"six, one left":          {report: objects(state.Objects{Nodes: 6, Services: 1}), earlier: []state.Backup{held(state.Objects{Nodes: 6, Services: 6})}, reasons: []string{"holds 1"}},
	"one secret, none left":  {report: objects(state.Objects{Nodes: 6}), earlier: []state.Backup{held(state.Objects{Nodes: 6, Secrets: 1})}, reasons: []string{"holds 0"}},
	"nothing before either":  {report: objects(state.Objects{Nodes: 1}), earlier: []state.Backup{held(state.Objects{Nodes: 1})}},
	"tasks came and went":    {report: func(r *state.RaftReport) { r.Objects.Tasks, r.Objects.Networks = 0, 0 }, earlier: []state.Backup{at("b1", 1, nil)}},
	"one node of six":        {report: func(r *state.RaftReport) { r.Objects.Nodes = 1 }, earlier: []state.Backup{at("b1", 1, nil)}, reasons: []string{"1 nodes"}},
	"two nodes of six":       {report: func(r *state.RaftReport) { r.Objects.Nodes = 2 }, earlier: []state.Backup{at("b1", 1, nil)}},
	"measured by the newest": {
		report: objects(state.Objects{Nodes: 6, Services: 2}),
		earlier: []state.Backup{
			at("b1", 1, nil), at("b2", 2, func(b *state.Backup) { b.Raft.Objects = state.Objects{Nodes: 6, Services: 2} }),
		},
	},

	"a suspect one counts for nothing":  {report: func(r *state.RaftReport) { r.Index = 1 }, earlier: []state.Backup{at("b1", 1, func(b *state.Backup) { b.Suspect = []string{"x"} })}},
	"an unverified one counts for none": {report: func(r *state.RaftReport) { r.Index = 1 }, earlier: []state.Backup{at("b1", 1, func(b *state.Backup) { b.Verified = "" })}},
	"a damaged one counts for nothing":  {report: func(r *state.RaftReport) { r.Index = 1 }, earlier: []state.Backup{at("b1", 1, func(b *state.Backup) { b.Problem = &state.Problem{} })}},
	"a collapse stays one behind suspects": {
		report: objects(state.Objects{Nodes: 6}),
		earlier: []state.Backup{
			at("b1", 1, nil), at("b2", 2, func(b *state.Backup) { b.Raft.Objects = state.Objects{Nodes: 6}; b.Suspect = []string{"x"} }),
		},
		reasons: []string{"b1 held 20"},
	},
	"an empty swarm on old certificates": {
		report: func(r *state.RaftReport) {
			*r = state.RaftReport{ClusterID: "c1", ClusterCreated: created.AddDate(0, 6, 0), Term: 2, Index: 12, Objects: state.Objects{Nodes: 1, Networks: 1}}
		},
		earlier: []state.Backup{at("b1", 1, nil)},
		reasons: []string{"another swarm", "went back", "holds 0", "1 nodes"},
	},
}

func TestSuspect(t *testing.T) {
	for name, c := range suspects {
		t.Run(name, func(t *testing.T) {
			got := raftdir.Suspect(report(c.report), c.earlier)
			if len(got) != len(c.reasons) {
				t.Fatalf("reasons %q, want %d", got, len(c.reasons))
			}
			for i, word := range c.reasons {
				if !strings.Contains(got[i], word) {
					t.Errorf("reason %q does not say %q", got[i], word)
				}
			}
		})
	}
}
