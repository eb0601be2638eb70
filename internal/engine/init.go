package engine

import (
	"context"

	"github.com/docker/docker/api/types/swarm"
)

// DefaultListenAddr is where a manager listens when nothing else was asked for.
const DefaultListenAddr = "0.0.0.0:2377"

// InitRequest is how a swarm is made, or forced out of what this engine holds.
// Forced, the swarm keeps its spec, its address pool, its data path port and
// its nodes' availability, whatever is said here of them.
type InitRequest struct {
	ForceNewCluster bool
	ListenAddr      string // with its port; empty: DefaultListenAddr
	AdvertiseAddr   string // IP address, with or without a port
	DataPathAddr    string // empty: the engine chooses
	DataPathPort    uint32 // 0: the engine's default
	DefaultAddrPool []string
	SubnetSize      uint32 // mask length of the pool's subnets in bits
	// AutoLock is to be true wherever the forced swarm was auto-locked: false
	// turns it off.
	AutoLock     bool
	Availability string // active, pause, drain; empty: active
	// ForceRotate is the forced swarm's own count of CA rotations (the cluster
	// object's spec). An engine takes a number that differs for the order to
	// rotate the CA, and nothing said is 0.
	ForceRotate uint64
}

// Init makes a swarm and gives the engine's node ID in it.
//
// It may be asked to force a new cluster only after every other manager has
// been fenced: an engine tells its old peers at once, and evicts them.
//
// ErrUndecided does not say that nothing was done: an engine gives a new leader
// 5 s to take the spec and fails after that, with the swarm made and perhaps
// not auto-locked. Look at it (Info, Swarm) before anything else. An engine
// that fails to be forced otherwise becomes inactive and keeps its files; one
// that fails to init anew erases its swarm directory.
func (c *Client) Init(ctx context.Context, r InitRequest) (nodeID string, err error) {
	request := swarm.InitRequest{
		ListenAddr:       or(r.ListenAddr, DefaultListenAddr),
		AdvertiseAddr:    r.AdvertiseAddr,
		DataPathAddr:     r.DataPathAddr,
		DataPathPort:     r.DataPathPort,
		DefaultAddrPool:  r.DefaultAddrPool,
		SubnetSize:       r.SubnetSize,
		ForceNewCluster:  r.ForceNewCluster,
		AutoLockManagers: r.AutoLock,
		Availability:     swarm.NodeAvailability(r.Availability),
	}
	// The node locks its key by the first, the cluster object is written from
	// the second; a swarm with one of the two ends without an auto-lock.
	request.Spec.EncryptionConfig.AutoLockManagers = r.AutoLock
	request.Spec.CAConfig.ForceRotate = r.ForceRotate
	return call(ctx, c, "init swarm", func(ctx context.Context) (string, error) {
		return c.api.SwarmInit(ctx, request)
	})
}
