package raftdir

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"

	"github.com/moby/swarmkit/v2/api"

	"github.com/requeen/requeen/internal/state"
)

// SurveyOptions says with what a copy is surveyed.
type SurveyOptions struct {
	// UnlockKey is the key that was valid when the copy was made
	// ("SWMKEY-1-…"); nil when there is none or it is not known.
	UnlockKey []byte
}

// Survey reads how far the raft log in dir, a private copy of a manager's swarm
// directory, goes. dir is only read. It is lenient where Verify is strict, since
// it ranks what is left after a disaster: a torn end is what an engine forgets
// (the report says Torn), and a live copy (snapshots first, then the log) will
// do. What it accepts may not be restorable; Prepare proves that.
//
// A node key that is sealed and does not open with the unlock key is no error.
// The report then holds what stands in clear: Term, Index, Commit,
// SnapshotIndex, VotedTerm, RaftID, some of EverSeen, and what certificate and
// root CA tell; Autolock is true, and Members is empty. Otherwise it is filled
// as Verify does, with all of EverSeen; a log that does not reach its cluster
// object leaves ClusterCreated, Epoch and what else that object tells empty.
//
// On an error, *Error with one of this package's classes or the context's, the
// report is filled as far as the reading got, the log first.
func Survey(ctx context.Context, dir string, opts SurveyOptions) (state.RaftReport, error) {
	var r state.RaftReport
	ctx = quiet(ctx)
	h, err := readSurvivor(ctx, dir)
	if h != nil {
		describeLog(h, &r)
	}
	if err != nil {
		return r, err
	}
	if err := surveyCertificates(dir, &r); err != nil {
		return r, err
	}
	keyPEM, err := readFile(dir, fileNodeKey, whyNodeKey)
	if err != nil {
		return r, err
	}
	key, err := openKey(keyPEM, opts.UnlockKey)
	if errors.Is(err, ErrLocked) || errors.Is(err, ErrWrongUnlockKey) {
		r.Autolock = true
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if err := h.unseal(ctx, key.decrypter()); err != nil {
		return r, err
	}
	return r, surveySwarm(ctx, &h.history, &r)
}

// describeLog reports what a log tells without its key.
func describeLog(h *survivor, r *state.RaftReport) {
	r.Term, r.Index = h.last()
	r.Commit, r.SnapshotIndex = h.state.Commit, h.snapshotIndex()
	r.VotedTerm, r.Torn = max(h.state.Term, r.Term), h.torn
	var self api.RaftMember
	if self.Unmarshal(h.metadata) == nil && self.RaftID != 0 {
		r.RaftID = strconv.FormatUint(self.RaftID, 16)
	}
	r.EverSeen = hexIDs(seenInClear(&h.history).sorted())
}

// surveyCertificates reports what certificate and root CA tell, without
// checking that they fit.
func surveyCertificates(dir string, r *state.RaftReport) error {
	cert, err := readFile(dir, fileNodeCert, whyNodeCert)
	if err != nil {
		return err
	}
	if r.ClusterID, r.Role, r.NodeID, r.CertExpiry, err = InspectCertificate(cert); err != nil {
		return err
	}
	rootPEM, err := readFile(dir, fileRootCA, whyRootCA)
	if err != nil {
		return err
	}
	roots, err := certificatesDER(rootPEM)
	if err != nil {
		return &Error{Kind: ErrRootCA, File: fileRootCA, What: "it can't be parsed", Why: whyRootCA, Err: err}
	}
	sum := sha256.Sum256(roots[0])
	r.RootCASHA256 = hex.EncodeToString(sum[:])
	return nil
}

func surveySwarm(ctx context.Context, h *history, r *state.RaftReport) error {
	seen, err := everSeen(h)
	if err != nil {
		return err
	}
	r.EverSeen = hexIDs(seen.sorted())
	s, err := rebuild(ctx, h)
	if err != nil {
		return err
	}
	defer s.close()
	r.Members = memberList(s)
	if r.ManagerNodes, err = s.managerNodes(); err != nil {
		return err
	}
	if r.Objects, err = s.count(); err != nil {
		return err
	}
	c, err := s.cluster()
	if errors.Is(err, ErrWrongCluster) { // it joined, and was lost before it had caught up
		return nil
	}
	if err != nil {
		return err
	}
	describeCluster(c, r)
	return nil
}
