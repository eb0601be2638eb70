package raftdir_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
)

// TestPrepareKeeps holds for every log: the prepared directory has the same
// objects, every raft ID ever seen is its own or refused, and its term is above
// every one that was observed.
func TestPrepareKeeps(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		b := build(t, drawOptions(r))
		p := preparation()
		p.TermAbove = rapid.Uint64Range(0, 5000).Draw(r, "term above")
		p.FreshIdentity = rapid.Bool().Draw(r, "fresh identity")
		p.KeepTail = rapid.Bool().Draw(r, "keep tail")
		for _, id := range rapid.SliceOfN(rapid.Uint64Range(1, 1<<63), 0, 3).Draw(r, "seen elsewhere") {
			p.Removed = append(p.Removed, strconv.FormatUint(id, 16))
		}
		seen, err := raftdir.Survey(t.Context(), b.Dir, raftdir.SurveyOptions{UnlockKey: unlock})
		must(t, err)
		was, err := raftdir.Inventory(t.Context(), b.Dir, unlock)
		must(t, err)
		out := filepath.Join(t.TempDir(), "prepared")
		done, err := raftdir.Prepare(t.Context(), b.Dir, out, p)
		must(t, err)
		is, err := raftdir.Inventory(t.Context(), out, nil)
		must(t, err)
		if extra := len(is.Secrets) - len(was.Secrets); extra != done.TailKept || (!p.KeepTail && extra != 0) {
			r.Errorf("%d secrets more, and %d entries of the tail were kept", extra, done.TailKept)
		} else {
			is.Secrets = slices.DeleteFunc(is.Secrets, func(id string) bool { return !slices.Contains(was.Secrets, id) })
		}
		if p.FreshIdentity {
			if is.Nodes[done.NodeID].Role != "manager" || len(is.Nodes[done.NodeID].Labels) != 0 {
				r.Errorf("the new node is %+v", is.Nodes[done.NodeID])
			}
			delete(is.Nodes, done.NodeID)
		}
		node := was.Nodes[raftdirtest.NodeID]
		if !p.FreshIdentity {
			node.Role = "manager" // whatever was under way
		}
		was.Nodes[raftdirtest.NodeID] = node
		if diff := cmp.Diff(was, is); diff != "" {
			r.Errorf("objects (-source +prepared):\n%s", diff)
		}
		for _, id := range append(seen.EverSeen, p.Removed...) {
			if id != done.Report.RaftID && !slices.Contains(done.Removed, id) {
				r.Errorf("raft ID %s was seen, and is neither the node's own nor refused", id)
			}
		}
		if slices.Contains(done.Removed, done.Report.RaftID) || p.FreshIdentity == (done.Report.RaftID == done.OldRaftID) {
			r.Errorf("raft ID %s, before %s, refused %v", done.Report.RaftID, done.OldRaftID, done.Removed)
		}
		if done.Report.Term <= max(p.TermAbove, seen.VotedTerm, seen.Term) {
			r.Errorf("term %d, observed %d, %d and %d", done.Report.Term, p.TermAbove, seen.VotedTerm, seen.Term)
		}
	})
}

func drawOptions(r *rapid.T) raftdirtest.Options {
	few := func(name string) int { return rapid.IntRange(0, 3).Draw(r, name) }
	members := func(name string, first uint64) (list []raftdirtest.Member) {
		for i := range few(name) {
			id := first + uint64(i)
			list = append(list, raftdirtest.Member{RaftID: id, NodeID: fmt.Sprintf("node%d", id), Addr: fmt.Sprintf("10.0.1.%d:2377", id)})
		}
		return list
	}
	o := raftdirtest.Options{
		Members: members("members", 10), Removed: members("removed", 20), TailJoins: members("joining", 30),
		Services: few("services"), Secrets: few("secrets"), Configs: few("configs"), Networks: few("networks"), Workers: few("workers"),
		TailSecrets: few("tail"), TailLate: few("late tail"),
		RemoveTail: rapid.Bool().Draw(r, "removal in the tail"), Demoting: rapid.Bool().Draw(r, "demoting"),
		PendingKey: rapid.Bool().Draw(r, "pending key"), Term: rapid.Uint64Range(1, 100).Draw(r, "term"),
		Index: 60,
	}
	o.VotedTerm = o.Term + uint64(few("elections"))
	if rapid.Bool().Draw(r, "sealed") {
		o.UnlockKey = raftdirtest.UnlockKey
	}
	if rapid.Bool().Draw(r, "snapshot") {
		o.SnapshotAt = rapid.Uint64Range(1, 40).Draw(r, "snapshot at")
		o.Joined = rapid.Bool().Draw(r, "joined")
	}
	return o
}
