package raftdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// ErrPrepared: a prepared directory is not what it was to be; never the
// source's fault.
var ErrPrepared = errors.New("prepared directory")

// termLift is how far a prepared log's term is above every term observed. An
// old majority that goes on without being seen takes thousands of elections to
// come level with it.
const termLift = 1000

// renewBefore is how long before its expiry a node certificate is renewed.
const renewBefore = time.Hour

// Preparation says what a swarm directory is to become.
type Preparation struct {
	// UnlockKey opens the source's node key: the one of the copy's time
	// ("SWMKEY-1-…"), nil where it is not sealed.
	UnlockKey []byte
	// Address is the IP address and port ("10.0.0.11:2377") that the node is
	// to have in the membership.
	Address string
	// Epoch is the value of state.EpochLabel that the new cluster gets; it
	// can't be empty (safety rule 5).
	Epoch string
	// TermAbove is the highest raft term observed in any other log.
	TermAbove uint64
	// Removed are the raft IDs, in hex, that other logs name
	// (state.RaftReport.EverSeen); the node's own is passed by.
	Removed []string
	// KeepTail keeps the entries above the written commit index, which an
	// engine discards when it is forced although they may have been
	// acknowledged. Changes of the membership among them are never kept
	// (safety rule 6).
	KeepTail bool
	// FreshIdentity gives the node a new node ID with a certificate of the
	// cluster's CA, and a new raft ID, as it must have where the source is of
	// another host (safety rule 3). The source's node stays in the list of nodes:
	// when its host comes back it joins again as itself. With its node ID here,
	// and a raft ID of its own, the host that comes back would be taken for this
	// member, and cut it off (measured on 28.5.2).
	FreshIdentity bool
	// Now is the target's clock. It decides whether the certificate has
	// expired.
	Now time.Time
	// RenewIfExpired renews a node certificate that has expired or will within
	// the hour.
	RenewIfExpired bool
	// Withheld are the services that are without tasks until their data are back.
	Withheld Withheld
	// Scratch is as in Options; empty: beside the prepared directory.
	Scratch string
}

// Prepared tells what became of a swarm directory. It holds no secret.
type Prepared struct {
	// Report is of the prepared directory, as Verify reads it.
	Report state.RaftReport
	// ParentEpoch is the source's epoch.
	ParentEpoch string
	// TailKept counts the entries above the source's commit index that were
	// kept; a new leader's empty first entry is not counted.
	TailKept int
	// Torn tells that the source's log ended in a record that was never wholly
	// written, which is left out.
	Torn bool
	// Renewed tells that the node certificate and its key are new.
	Renewed bool
	// NotRenewed is why a certificate that has expired was left as it is:
	// ErrExternalCA or ErrRootRotating, nil otherwise. An engine that is forced
	// with it renews it by itself where the CA answers.
	NotRenewed error
	// RoleRepaired tells that the source was demoting this node, or was about
	// to remove it from the membership, and the prepared directory is not
	// (safety rule 6).
	RoleRepaired bool
	// NodeID is the node's, OldNodeID the source's: the same but with a fresh
	// identity.
	NodeID, OldNodeID string
	// OldAddress and OldRaftID (hex) are what the node had in the source's
	// membership.
	OldAddress, OldRaftID string
	// Dropped are the members of the source's log other than this node.
	Dropped []state.Member
	// Withheld are the names of the services that have no tasks until their data are
	// back, and Jobs those of jobs that use the data and are left as they are; sorted.
	Withheld, Jobs []string
	// Removed are the raft IDs, hex and sorted, that the prepared log refuses.
	Removed []string
}

// Prepare makes, in the new directory out, a swarm directory of the one in dir,
// which is a private copy of a manager's and is only read. An engine that is
// forced on it leads at once and alone: the node is the sole member, at its
// address, under a term far above every one observed; every other raft ID ever
// seen is on the removed list, so that no old member is followed or talks to it
// (safety rule 1). The cluster is of a new epoch, the node key is in clear with
// one key of the log (safety rules 2, 19), and there is no docker-state.json,
// worker/ or state.json: the engine starts inactive. Modes are as an engine
// writes them.
//
// A node that the source has removed, or does not know as its manager, is
// refused (ErrRemoved, ErrNotManager). One that it is demoting is repaired.
//
// What is written is proved before Prepare returns; on an error out is not
// there. Errors are *Error with one of this package's classes, the context's,
// or plain ones about the preparation or the disk. out holds secrets in clear:
// it belongs on private storage in memory.
func Prepare(ctx context.Context, dir, out string, p Preparation) (done Prepared, err error) {
	ctx = quiet(ctx)
	others, err := p.check(out)
	if err != nil {
		return Prepared{}, err
	}
	src, err := openSource(ctx, dir, p)
	if err != nil {
		return Prepared{}, err
	}
	defer src.swarm.close()
	next, err := succeed(src, p, others)
	if err != nil {
		return Prepared{}, err
	}
	if err := os.Mkdir(out, 0o700); err != nil {
		return Prepared{}, fmt.Errorf("no directory for the prepared swarm: %w", err)
	}
	defer func() {
		if err != nil {
			done = Prepared{}
			if rerr := os.RemoveAll(out); rerr != nil {
				err = errors.Join(err, fmt.Errorf("what was prepared is left, with secrets in clear: remove it: %w", rerr))
			}
		}
	}()
	if err := next.write(ctx, out); err != nil {
		return Prepared{}, fmt.Errorf("the prepared swarm can't be written: %w", err)
	}
	report, err := next.prove(ctx, out, p)
	if err != nil {
		return Prepared{}, err
	}
	return Prepared{
		Report: report, ParentEpoch: src.epoch, TailKept: src.tailKept, Torn: src.torn,
		Renewed: next.renewed, NotRenewed: next.notRenewed, RoleRepaired: src.tailRemoval || next.roleRepaired,
		NodeID: next.member.NodeID, OldNodeID: src.id.nodeID, OldAddress: src.member.Addr, OldRaftID: strconv.FormatUint(src.member.RaftID, 16),
		Withheld: next.withheld, Jobs: next.jobs, Dropped: src.others(), Removed: hexIDs(next.removed),
	}, nil
}

// check proves that a preparation can be carried out, and gives the raft IDs of
// other logs.
func (p Preparation) check(out string) ([]uint64, error) {
	if a, err := netip.ParseAddrPort(p.Address); err != nil || a.Port() == 0 || a.Addr().IsUnspecified() {
		return nil, fmt.Errorf("a manager can't have the address %q: give an IP address and a port, as in 10.0.0.11:2377", p.Address)
	}
	if p.Epoch == "" {
		return nil, errors.New("a prepared swarm needs the name of a new epoch: without it the old and the new history can't be told apart")
	}
	if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return nil, fmt.Errorf("no directory for the prepared swarm: %s: %w", filepath.Base(out), err)
	}
	return parseIDs(p.Removed)
}

// liftedTerm gives a term above all of those given.
func liftedTerm(terms ...uint64) (uint64, error) {
	highest := slices.Max(terms)
	if highest > math.MaxUint64-2*termLift {
		return 0, fmt.Errorf("the raft term %d leaves no room above it: it is not one that elections come to", highest)
	}
	return highest + termLift, nil
}
