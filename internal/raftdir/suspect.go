package raftdir

import (
	"fmt"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// The thresholds of a collapse, see Suspect.
const (
	collapseFloor  = 5 // an earlier count below it is too small for a share to mean anything
	collapseFactor = 5 // new < earlier/collapseFactor is a collapse
)

// Suspect gives the reasons why a new backup is suspect beside earlier ones
// (safety rule 16): an empty swarm made on old certificates has the same
// cluster ID, and must never pass as a fresh backup that prunes the good ones.
// No reason is the empty list. It is pure; earlier may be in any order.
//
// Only earlier backups of the same cluster ID count that were verified, are
// whole (no Problem) and not suspect themselves. The reasons are:
//
//   - the cluster object has another creation time than in any of them;
//   - the epoch is one that they had left: a later epoch's backup is there
//     after one of this epoch, or names it as its parent, or has a name where
//     this one has none;
//   - within the same epoch (term, index) of the last entry is before the
//     highest of them; equal is no regress, for an idle swarm writes nothing;
//   - against the newest of them by TakenAt: services, secrets and configs
//     together were 5 or more and are now less than a fifth; or they were there
//     and are now all gone; or node entries were 5 or more and are now less
//     than a fifth. Tasks and networks count for nothing: they come and go.
func Suspect(r state.RaftReport, earlier []state.Backup) []string {
	var base []state.Backup
	for _, b := range earlier {
		if b.Raft.ClusterID == r.ClusterID && b.Verified != "" && b.Problem == nil && len(b.Suspect) == 0 {
			base = append(base, b)
		}
	}
	if len(base) == 0 {
		return nil
	}
	var reasons []string
	for _, check := range []func(state.RaftReport, []state.Backup) string{otherCreation, leftEpoch, regress, fewerObjects, fewerNodes} {
		if reason := check(r, base); reason != "" {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}

func otherCreation(r state.RaftReport, base []state.Backup) string {
	for _, b := range base {
		if was := b.Raft.ClusterCreated; !was.IsZero() && !was.Equal(r.ClusterCreated) {
			return fmt.Sprintf("the swarm was created at %s, in backup %s at %s: it is another swarm under the same ID",
				clock(r.ClusterCreated), b.ID, clock(was))
		}
	}
	return ""
}

func leftEpoch(r state.RaftReport, base []state.Backup) string {
	var was time.Time // when this epoch was first backed up
	for _, b := range base {
		if b.Raft.Epoch == r.Epoch && (was.IsZero() || b.TakenAt.Before(was)) {
			was = b.TakenAt
		}
	}
	for _, b := range base {
		if b.Raft.Epoch == r.Epoch {
			continue
		}
		followed := !was.IsZero() && b.TakenAt.After(was)
		child := b.Raft.Epoch != "" && b.ParentEpoch == r.Epoch
		if followed || child || r.Epoch == "" {
			return fmt.Sprintf("its epoch %s was left: backup %s is of the later epoch %s", epochName(r.Epoch), b.ID, epochName(b.Raft.Epoch))
		}
	}
	return ""
}

func regress(r state.RaftReport, base []state.Backup) string {
	var highest *state.Backup
	for i := range base {
		b := &base[i]
		if b.Raft.Epoch == r.Epoch && (highest == nil || before(highest.Raft, b.Raft)) {
			highest = b
		}
	}
	if highest == nil || !before(r, highest.Raft) {
		return ""
	}
	return fmt.Sprintf("its log ends at term %d, index %d, that of backup %s at term %d, index %d: the swarm went back",
		r.Term, r.Index, highest.ID, highest.Raft.Term, highest.Raft.Index)
}

// before orders two logs of one epoch.
func before(a, b state.RaftReport) bool {
	if a.Term != b.Term {
		return a.Term < b.Term
	}
	return a.Index < b.Index
}

func fewerObjects(r state.RaftReport, base []state.Backup) string {
	b := newest(base)
	was, is := declared(b.Raft.Objects), declared(r.Objects)
	if (was > 0 && is == 0) || collapsed(was, is) {
		return fmt.Sprintf("it holds %d services, secrets and configs, backup %s held %d", is, b.ID, was)
	}
	return ""
}

func fewerNodes(r state.RaftReport, base []state.Backup) string {
	b := newest(base)
	if was, is := b.Raft.Objects.Nodes, r.Objects.Nodes; collapsed(was, is) {
		return fmt.Sprintf("it holds %d nodes, backup %s held %d", is, b.ID, was)
	}
	return ""
}

func newest(base []state.Backup) state.Backup {
	n := base[0]
	for _, b := range base[1:] {
		if b.TakenAt.After(n.TakenAt) {
			n = b
		}
	}
	return n
}

// declared counts what people put into a swarm, as opposed to what it makes.
func declared(o state.Objects) int { return o.Services + o.Secrets + o.Configs }

func collapsed(was, is int) bool { return was >= collapseFloor && is*collapseFactor < was }

func clock(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.UTC().Format(time.RFC3339)
}

func epochName(e string) string {
	if e == "" {
		return "without a name"
	}
	return e
}
