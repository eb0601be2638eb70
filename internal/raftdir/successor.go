package raftdir

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"slices"

	"github.com/moby/swarmkit/v2/api"
	swarmid "github.com/moby/swarmkit/v2/identity"
	"github.com/moby/swarmkit/v2/manager/state/store"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/requeen/requeen/internal/state"
)

// successor is all that a prepared directory holds.
type successor struct {
	ids     []string // of every object
	removed []uint64 // raft IDs, in rising order
	dek     []byte   // the log's one key

	// The log: one snapshot of everything, and behind it one empty entry,
	// without which swarmkit has nothing to process at its start, does not
	// see that it is alone, and waits out an election.
	metadata []byte
	snapshot raftpb.Snapshot
	entry    raftpb.Entry
	state    raftpb.HardState

	member  state.Member
	certPEM []byte
	keyPEM  []byte // in clear
	rootPEM []byte

	withheld, jobs []string // names of services

	renewed      bool
	notRenewed   error
	roleRepaired bool
}

// succeed works out what the source is to become. It changes the source's
// objects: the cluster's epoch, and this node's role and address.
func succeed(src *source, p Preparation, others []uint64) (*successor, error) {
	n := &successor{ids: src.ids, dek: src.id.key.current, rootPEM: src.id.rootPEM}
	if src.id.key.pending != nil {
		n.dek = src.id.key.pending
	}
	self := api.RaftMember{RaftID: src.member.RaftID, NodeID: src.id.nodeID, Addr: p.Address}
	refuse := idSet{}
	refuse.add(others...)
	refuse.add(src.seen.sorted()...)
	if p.FreshIdentity {
		var err error
		if self.RaftID, err = freshRaftID(refuse); err != nil {
			return nil, err
		}
		self.NodeID = swarmid.NewID()
		n.ids = append(slices.Clone(n.ids), "node "+self.NodeID)
		slices.Sort(n.ids)
	}
	delete(refuse, self.RaftID)
	n.removed = refuse.sorted()
	n.member = state.Member{RaftID: hexIDs([]uint64{self.RaftID})[0], NodeID: self.NodeID, Addr: self.Addr}
	term, err := liftedTerm(src.term, p.TermAbove)
	if err != nil {
		return nil, err
	}
	if err := n.changeObjects(src, p, self.NodeID); err != nil {
		return nil, err
	}
	if err := n.withhold(src, p.Withheld); err != nil {
		return nil, err
	}
	if err := n.makeLog(src, self, term); err != nil {
		return nil, err
	}
	return n, n.certify(src, p)
}

// freshRaftID draws a raft ID as swarmkit does, 63 random bits and not zero,
// that no log has ever named.
func freshRaftID(taken idSet) (uint64, error) {
	var b [8]byte
	for {
		if _, err := rand.Read(b[:]); err != nil {
			return 0, fmt.Errorf("no random raft ID: %w", err)
		}
		if id := binary.BigEndian.Uint64(b[:]) >> 1; id != 0 && !taken[id] {
			return id, nil
		}
	}
}

// changeObjects opens the new epoch, makes this node a manager that stays one
// (safety rule 6), and gives it its address. Versions stay: nothing has seen
// these objects in the new cluster yet.
func (n *successor) changeObjects(src *source, p Preparation, nodeID string) error {
	return src.swarm.store.Update(func(tx store.Tx) error {
		c := src.cluster.Copy()
		if c.Spec.Annotations.Labels == nil {
			c.Spec.Annotations.Labels = map[string]string{}
		}
		labels := c.Spec.Annotations.Labels
		delete(labels, state.ParentEpochLabel)
		if parent := labels[state.EpochLabel]; parent != "" {
			labels[state.ParentEpochLabel] = parent
		}
		labels[state.EpochLabel] = p.Epoch
		// Init merges a request without a number over this one, and a number that
		// differs from the last rotation's begins another.
		c.Spec.CAConfig.ForceRotate, c.RootCA.LastForcedRotation = 0, 0
		if err := store.UpdateCluster(tx, c); err != nil {
			return storeError(fileRaft, "its cluster object can't take the new epoch", err)
		}
		node := store.GetNode(tx, src.id.nodeID)
		if node == nil {
			return &Error{
				Kind: ErrNotManager, File: fileRaft, What: "the swarm in it has no node " + src.id.nodeID + ", whose certificate this is",
				Why: "a manager that the swarm does not know removes its own state when it starts",
			}
		}
		if node.Role != api.NodeRoleManager || node.Spec.DesiredRole != api.NodeRoleManager {
			n.roleRepaired = true
			node.Role, node.Spec.DesiredRole, node.Certificate.Role = api.NodeRoleManager, api.NodeRoleManager, api.NodeRoleManager
		}
		if nodeID != node.ID {
			return createNode(tx, newNode(node, nodeID, src.member.Addr, p.Address))
		}
		moveNode(node, src.member.Addr, p.Address)
		if err := store.UpdateNode(tx, node); err != nil {
			return storeError(fileRaft, "its object for this node can't be changed", err)
		}
		return nil
	})
}

// newNode is the object of a manager that takes the place of another's member: what
// somebody declared of that one, and what runs on it, stays with it.
func newNode(old *api.Node, id, from, to string) *api.Node {
	node := old.Copy()
	node.ID, node.Meta = id, api.Meta{}
	node.Spec.Annotations = api.Annotations{}
	node.Spec.Availability = api.NodeAvailabilityActive
	node.Attachment, node.Attachments = nil, nil
	node.Certificate = api.Certificate{Role: api.NodeRoleManager, CN: id, Status: api.IssuanceStatus{State: api.IssuanceStateIssued}}
	moveNode(node, from, to)
	return node
}

func createNode(tx store.Tx, node *api.Node) error {
	if err := store.CreateNode(tx, node); err != nil {
		return storeError(fileRaft, "the object of the new node can't be added", err)
	}
	return nil
}

// moveNode replaces the node's old address where its object records it.
func moveNode(node *api.Node, from, to string) {
	oldHost, _, err := net.SplitHostPort(from)
	if err != nil {
		oldHost = from
	}
	newHost, _, err := net.SplitHostPort(to)
	if err == nil && node.Status.Addr == oldHost {
		node.Status.Addr = newHost
	}
	if node.ManagerStatus != nil {
		node.ManagerStatus.Addr = to
	}
}

func (n *successor) makeLog(src *source, self api.RaftMember, term uint64) error {
	content, err := src.swarm.save()
	if err != nil {
		return err
	}
	data, err := (&api.Snapshot{
		Version:    api.Snapshot_V0,
		Membership: api.ClusterSnapshot{Members: []*api.RaftMember{&self}, Removed: n.removed},
		Store:      *content,
	}).Marshal()
	if err != nil {
		return storeError(fileSnap, "the new snapshot can't be encoded", err)
	}
	if n.metadata, err = self.Marshal(); err != nil {
		return storeError(fileWAL, "the new metadata can't be encoded", err)
	}
	n.snapshot = raftpb.Snapshot{Data: data, Metadata: raftpb.SnapshotMetadata{
		Index: src.index, Term: term, ConfState: raftpb.ConfState{Voters: []uint64{self.RaftID}},
	}}
	n.entry = raftpb.Entry{Type: raftpb.EntryNormal, Term: term, Index: src.index + 1}
	n.state = raftpb.HardState{Term: term, Vote: self.RaftID, Commit: n.entry.Index}
	return nil
}

// certify takes over certificate and key, or renews both.
func (n *successor) certify(src *source, p Preparation) error {
	cert, key := src.certPEM, src.id.key.pem
	if p.FreshIdentity {
		id := *src.id
		id.nodeID = n.member.NodeID
		newCert, newKey, err := renew(src.cluster, &id)
		if err != nil {
			return err // only that CA can make it another node
		}
		cert, key, n.renewed = newCert, newKey, src.id.expiry.Before(p.Now.Add(renewBefore))
	} else if p.RenewIfExpired && src.id.expiry.Before(p.Now.Add(renewBefore)) {
		newCert, newKey, err := renew(src.cluster, src.id)
		switch {
		case err == nil:
			cert, key, n.renewed = newCert, newKey, true
		case isCAElsewhere(err):
			n.notRenewed = err
		default:
			return err
		}
	}
	var err error
	n.certPEM = cert
	n.keyPEM, err = clearKey(key, map[string][]byte{headerLogKey: n.dek})
	return err
}
