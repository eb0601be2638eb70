package raftdir

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/moby/swarmkit/v2/api"

	"github.com/requeen/requeen/internal/state"
)

const whyPrepared = "an engine must not be forced on it; this is an error of requeen, and nothing was changed"

// prove reads the prepared directory as any other: Verify passes, this node is
// its only member, and every object of the source is there.
func (n *successor) prove(ctx context.Context, out string, p Preparation) (state.RaftReport, error) {
	r, err := Verify(ctx, out, Options{MinIndex: n.entry.Index, Now: p.Now, Scratch: p.Scratch})
	if err != nil {
		return r, fmt.Errorf("what was prepared does not verify: %w", err)
	}
	switch {
	case !slices.Equal(r.Members, []state.Member{n.member}):
		return r, preparedError(fileSnap, "its membership is not this node at "+n.member.Addr+" alone")
	case r.RaftID != n.member.RaftID:
		return r, preparedError(fileWAL, "it is of raft member "+r.RaftID+" instead of "+n.member.RaftID)
	case r.Epoch != p.Epoch:
		return r, preparedError(fileSnap, "it is of the epoch "+r.Epoch+" instead of "+p.Epoch)
	case r.Term != n.entry.Term || r.Term <= p.TermAbove || r.Commit != n.entry.Index || r.SnapshotIndex != n.snapshot.Metadata.Index:
		return r, preparedError(fileWAL, fmt.Sprintf("it ends at term %d with commit %d, not at %d with %d", r.Term, r.Commit, n.entry.Term, n.entry.Index))
	}
	return r, n.proveContent(ctx, out)
}

// proveContent reads the log again, without a key but its own, and compares it
// with what was to be written.
func (n *successor) proveContent(ctx context.Context, out string) error {
	id, err := readIdentity(out, Options{})
	if err != nil {
		return err
	}
	if id.key.pending != nil || !bytes.Equal(id.key.current, n.dek) {
		return preparedError(fileNodeKey, "it does not have the one key of the log")
	}
	h, err := readHistory(ctx, out, id.key.decrypter())
	if err != nil {
		return err
	}
	if h.state != n.state || !bytes.Equal(h.metadata, n.metadata) || len(h.entries) != 1 || len(h.entries[0].Data) != 0 {
		return preparedError(fileWAL, "it does not hold one empty entry behind its snapshot")
	}
	var decoded api.Snapshot
	if h.snapshot == nil || !bytes.Equal(h.snapshot.Data, n.snapshot.Data) || decoded.Unmarshal(h.snapshot.Data) != nil {
		return preparedError(fileSnap, "it is not the snapshot that was written")
	}
	if !slices.Equal(everyID(&decoded.Store), n.ids) {
		return preparedError(fileSnap, "it does not hold the objects of the source")
	}
	removed := slices.Clone(decoded.Membership.Removed)
	if slices.Sort(removed); !slices.Equal(removed, n.removed) {
		return preparedError(fileSnap, "it does not refuse every other raft member ever seen")
	}
	return nil
}

func preparedError(file, what string) error {
	return &Error{Kind: ErrPrepared, File: file, What: what, Why: whyPrepared}
}
