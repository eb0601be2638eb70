package raftdir

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"time"

	gogotypes "github.com/gogo/protobuf/types"
	"github.com/moby/swarmkit/v2/api"
	"github.com/moby/swarmkit/v2/manager/state/store"

	"github.com/requeen/requeen/internal/state"
)

// Options says what a copy is verified against.
type Options struct {
	// UnlockKey is the key that was valid when the copy was made
	// ("SWMKEY-1-…"); nil when the swarm was not auto-locked.
	UnlockKey []byte
	// MinIndex is a raft index that the swarm was seen to have before the copy
	// was made; the last entry must not be before it. 0 checks nothing.
	MinIndex uint64
	// Now is only for words: an error about the certificate says that it has
	// expired by then, too. The zero time leaves that out.
	Now time.Time
	// Scratch is the directory in which raft/ is copied for swarmkit's own
	// loader; the copy is encrypted like the log, may allocate two segments
	// (128 MB) and is removed again. Empty: beside dir.
	Scratch string
}

// Verify proves that dir, a private copy of a manager's swarm directory, can be
// restored, and reports what it holds. dir is only read; the last proof, by
// swarmkit's own loader, which writes, runs on a scratch copy of raft/.
//
// What is proved: certificate, key and root CA are there, belong together and
// are a manager's; the key opens, with the unlock key where it is sealed; its
// log keys open snapshot and log; the log is whole, from etcd's own
// verification to a commit index in range; every entry decodes and applies; the
// result is the certificate's cluster under the same root CA, and this node is
// a manager and raft member in it that nothing in the log removes.
//
// An expired node certificate passes: the report's CertExpiry tells it. On an
// error the report is filled as far as the reading got. Errors are *Error with
// one of this package's classes, the context's, or plain ones where the scratch
// copy can't be made: those say nothing about the copy.
func Verify(ctx context.Context, dir string, opts Options) (state.RaftReport, error) {
	var r state.RaftReport
	ctx = quiet(ctx)
	id, err := readIdentity(dir, opts)
	r.ClusterID, r.Role, r.NodeID = id.clusterID, id.role, id.nodeID
	r.CertExpiry, r.RootCASHA256 = id.expiry, id.rootSHA256
	if err != nil {
		return r, err
	}
	h, err := readHistory(ctx, dir, id.key.decrypter())
	if h != nil {
		r.Term, r.Index = h.last()
		r.Commit, r.SnapshotIndex = h.state.Commit, h.snapshotIndex()
	}
	if err != nil {
		return r, err
	}
	if err := verifySwarm(ctx, id, h, &r); err != nil {
		return r, err
	}
	if r.Index < opts.MinIndex {
		return r, &Error{
			Kind: ErrBehind, File: fileWAL, What: fmt.Sprintf("it ends at index %d, and the swarm was already at %d", r.Index, opts.MinIndex),
			Why: "what the swarm wrote in between is not in it",
		}
	}
	return r, proveLoads(ctx, dir, opts.Scratch, id.key, h)
}

// verifySwarm rebuilds the swarm's objects, and proves that they are the
// certificate's cluster with this node as its manager.
func verifySwarm(ctx context.Context, id *identity, h *history, r *state.RaftReport) error {
	s, err := rebuild(ctx, h)
	if err != nil {
		return err
	}
	defer s.close()
	r.RaftID = strconv.FormatUint(s.self.RaftID, 16)
	r.Members = memberList(s)
	if r.ManagerNodes, err = s.managerNodes(); err != nil {
		return err
	}
	if r.Objects, err = s.count(); err != nil {
		return err
	}
	c, err := s.cluster()
	if err != nil {
		return err
	}
	describeCluster(c, r)
	if c.ID != id.clusterID {
		return &Error{
			Kind: ErrWrongCluster, File: fileRaft, What: fmt.Sprintf("it holds the cluster %s, and %s is of the cluster %s", c.ID, fileNodeCert, id.clusterID),
			Why: "certificates and log come from two swarms",
		}
	}
	if !sameCertificates(c.RootCA.CACert, id.rootPEM) {
		return &Error{
			Kind: ErrRootCA, File: fileRootCA, What: "it is not the root CA that the swarm's own record has",
			Why: "the copy fell into the end of a CA rotation, or certificates and log were not copied at one time",
		}
	}
	if err := checkNode(s, id); err != nil {
		return err
	}
	return checkMember(s, id)
}

func describeCluster(c *api.Cluster, r *state.RaftReport) {
	if created, err := gogotypes.TimestampFromProto(c.Meta.CreatedAt); err == nil {
		r.ClusterCreated = created
	}
	r.Epoch = c.Spec.Annotations.Labels[state.EpochLabel]
	r.ParentEpoch = c.Spec.Annotations.Labels[state.ParentEpochLabel]
	r.RootRotating = c.RootCA.RootRotation != nil
	r.ExternalCA = len(c.Spec.CAConfig.ExternalCAs) > 0 || len(c.RootCA.CAKey) == 0
	r.Autolock = c.Spec.EncryptionConfig.AutoLockManagers
}

// checkNode proves that the store has this node as a manager that is to stay
// one (safety rule 6).
func checkNode(s *swarm, id *identity) error {
	var n *api.Node
	s.store.View(func(tx store.ReadTx) { n = store.GetNode(tx, id.nodeID) })
	what := ""
	switch {
	case n == nil:
		what = "has no node " + id.nodeID
	case n.Role != api.NodeRoleManager:
		what = "has node " + id.nodeID + " as a worker"
	case n.Spec.DesiredRole != api.NodeRoleManager:
		what = "is demoting node " + id.nodeID
	default:
		return nil
	}
	return &Error{
		Kind: ErrNotManager, File: fileRaft, What: "the swarm in it " + what + ", whose certificates these are",
		Why: "a manager that the swarm does not want as one removes its own state when it starts",
	}
}

// checkMember proves that this node is a raft member and stays one (safety
// rule 6).
func checkMember(s *swarm, id *identity) error {
	m := s.members.GetMember(s.self.RaftID)
	what := ""
	switch {
	case s.members.IsIDRemoved(s.self.RaftID):
		what = "removes this node, raft member %x, from the membership"
	case m == nil:
		what = "does not have this node, raft member %x, in the membership"
	case m.NodeID != id.nodeID:
		what = "has raft member %x as another node than the certificate's"
	case s.removedInTail:
		what = "ends with the not yet committed removal of this node, raft member %x"
	default:
		return nil
	}
	return &Error{
		Kind: ErrRemoved, File: fileWAL, What: "it " + fmt.Sprintf(what, s.self.RaftID),
		Why: "an engine that starts with it removes its own state",
	}
}

func memberList(s *swarm) []state.Member {
	members := make([]state.Member, 0, 7)
	for _, m := range s.members.Members() {
		members = append(members, state.Member{RaftID: strconv.FormatUint(m.RaftID, 16), NodeID: m.NodeID, Addr: m.Addr})
	}
	sort.Slice(members, func(i, j int) bool { return members[i].RaftID < members[j].RaftID })
	return members
}
