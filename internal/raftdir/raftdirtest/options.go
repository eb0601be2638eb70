package raftdirtest

import (
	"time"

	"github.com/moby/swarmkit/v2/api"
)

// The defaults of Options, for tests that compare with them.
const (
	ClusterID = "clusterclusterclusterclus"
	NodeID    = "manageronemanageronemanag"
	Addr      = "10.0.0.11:2377"
	RaftID    = 0x1a2b3c4d5e6f
	Term      = 2
	// UnlockKey is a well-formed unlock key, for Options.UnlockKey.
	UnlockKey = "SWMKEY-1-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	// OtherUnlockKey opens nothing that UnlockKey sealed.
	OtherUnlockKey = "SWMKEY-1-Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA"
)

// Created is the default of Options.Created.
var Created = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Member is another manager of the swarm.
type Member struct {
	RaftID uint64
	NodeID string
	Addr   string
}

// Options says what swarm to build. The zero value is a swarm of this one
// manager with nothing in it.
type Options struct {
	ClusterID, NodeID, Addr string
	RaftID                  uint64
	Created                 time.Time // of the cluster object
	Epoch                   string    // the epoch label, none when empty
	UnlockKey               string    // "SWMKEY-1-…": auto-locked, the node key sealed with it
	Autolock                bool      // auto-locked in the spec, whatever UnlockKey is
	Members                 []Member  // the other managers
	Removed                 []Member  // managers that joined and were removed again
	ExternalCA, Rotating    bool      // as the cluster object tells

	Services, Networks, Secrets, Configs, Tasks, Workers int

	// Extra are more objects, such as services with mounts and their tasks.
	Extra []api.StoreObject

	// NodeAddr is the address that this manager's node object has in its status.
	NodeAddr string
	// Labels are the labels of this manager's node object.
	Labels map[string]string
	// Predefined is how many network objects stand for a node's local networks.
	Predefined int

	Term  uint64 // of all entries
	Index uint64 // of the last entry: filled up with empty entries; 0 is as many as it takes

	SnapshotAt uint64 // the index of a snapshot, 0 none
	// Joined leaves the entries up to SnapshotAt out of the log, as on a
	// manager that got a snapshot when it joined.
	Joined bool

	// What stands above the written commit index, in this order: entries that
	// each create a secret (with the IDs that follow those of Secrets), managers
	// that join, a removal of this manager (RemoveTail), and more secrets.
	TailSecrets int
	TailJoins   []Member
	TailLate    int

	VotedTerm uint64 // of the hard state, where it is not Term

	// What a healthy stopped manager does not have.
	PendingKey  bool      // a key rotation under way: half of the log under the next key
	CertExpiry  time.Time // of the node certificate, else in 90 days
	CertRole    string    // "swarm-worker" for a worker's certificate
	CertCluster string    // the cluster ID in the certificate, where it differs
	StoreWorker bool      // the node object has the role of a worker
	Demoting    bool      // the node object is to become a worker
	NoCluster   bool      // no cluster object
	NoNode      bool      // no node object for this manager
	NoMember    bool      // this manager was never added to the membership
	// MemberNodeID is the node ID that this manager's raft member has, where it
	// differs.
	MemberNodeID string
	RemoveSelf   bool   // the last entry but the fill removes this manager
	RemoveTail   bool   // an entry of the tail removes this manager
	Commit       uint64 // the written commit index, where it is not the last entry's
	GapAt        uint64 // the index of an entry that is left out
	BadEntry     bool   // an entry's data is no request
}

// Built is what a test may want to know of a directory.
type Built struct {
	Dir   string
	Last  uint64 // the index of the last entry
	Root  []byte // the root certificate, PEM
	WAL   string // the path of the log's last file
	Snap  string // the path of the snapshot, empty when there is none
	Bytes int64  // how much of WAL is written
}

func (o Options) withDefaults() Options {
	def := func(s *string, d string) {
		if *s == "" {
			*s = d
		}
	}
	def(&o.ClusterID, ClusterID)
	def(&o.NodeID, NodeID)
	def(&o.Addr, Addr)
	def(&o.CertRole, "swarm-manager")
	def(&o.CertCluster, o.ClusterID)
	def(&o.MemberNodeID, o.NodeID)
	if o.RaftID == 0 {
		o.RaftID = RaftID
	}
	if o.Term == 0 {
		o.Term = Term
	}
	if o.Created.IsZero() {
		o.Created = Created
	}
	if o.UnlockKey != "" {
		o.Autolock = true
	}
	return o
}
