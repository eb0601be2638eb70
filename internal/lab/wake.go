package lab

import (
	"context"
	"fmt"
	"time"
)

const (
	// electionTimeout is for the swarm to have a leader and all its nodes after a
	// cold start of every manager at once.
	electionTimeout = 2 * time.Minute

	// callTimeout is for one answer of an engine: without a leader many never
	// come.
	callTimeout = 5 * time.Second
)

// powerOn boots every node, and waits for the swarm. Managers are unlocked as
// soon as they ask for it: a worker's engine waits for them.
func (s *state) powerOn(ctx context.Context) error {
	electing, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); s.elect(electing) }()
	slots := make(chan struct{}, bootsAtOnce)
	err := parallel(s.Nodes, func(n Node) error {
		slots <- struct{}{}
		err := s.boot(ctx, n)
		<-slots
		if err != nil || !s.Autolock || n.Role != roleManager {
			return err
		}
		return s.unlockLocked(ctx, n)
	})
	stop()
	<-done
	if err != nil {
		return err
	}
	return s.whole(ctx)
}

// unlockLocked unlocks a manager that asks for it. The call ends only when
// there is a quorum of managers that are unlocked: never wait for one before
// the others were told.
func (s *state) unlockLocked(ctx context.Context, n Node) error {
	ctx, cancel := context.WithTimeout(ctx, electionTimeout)
	defer cancel()
	info, err := s.engine(n.Name).info(ctx)
	if err != nil || info.Swarm.LocalNodeState != "locked" {
		return err
	}
	return s.unlock(ctx, n.Name)
}

// managers are those of the swarm that others can reach.
func (s *state) managers() []Node {
	var list []Node
	for _, n := range s.Nodes {
		if n.Role == roleManager && len(n.Cut) == 0 && !n.Added {
			list = append(list, n)
		}
	}
	return list
}

// whole waits until the swarm has a leader, and every node that is in it and
// not cut off is ready.
func (s *state) whole(ctx context.Context) error {
	var why error
	err := WaitFor(ctx, electionTimeout, "the swarm to have a leader and all its nodes", func() (bool, error) {
		why = nil
		for _, n := range s.managers() {
			if why = s.seesAllReady(ctx, n); why != nil {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil && why != nil {
		return fmt.Errorf("%w; last: %w", err, why)
	}
	return err
}

// seesAllReady asks a manager for the nodes of the swarm. The error says which
// of them is not ready.
func (s *state) seesAllReady(ctx context.Context, manager Node) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	members, err := s.members(ctx, manager.Name)
	if err != nil {
		return err
	}
	for name, m := range members {
		if there := s.find(name); there != nil && len(there.Cut) == 0 && m.Status.State != "ready" {
			return fmt.Errorf("node %s is %s", name, m.Status.State)
		}
	}
	return nil
}
