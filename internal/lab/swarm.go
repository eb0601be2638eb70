package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	joinTimeout = 90 * time.Second
	listen      = "0.0.0.0:2377"
)

// makeSwarm brings every node that is not in the swarm yet into it.
func (s *state) makeSwarm(ctx context.Context, say Progress) error {
	nodes := s.swarmNodes()
	if err := s.initSwarm(ctx, nodes[0]); err != nil {
		return fmt.Errorf("the swarm can't be made on node %s: %w", nodes[0].Name, err)
	}
	if err := s.keepUnlockKey(ctx); err != nil {
		return err
	}
	var swarm struct {
		JoinTokens struct{ Manager, Worker string }
	}
	if err := s.engine(nodes[0].Name).call(ctx, http.MethodGet, "/swarm", nil, &swarm); err != nil {
		return err
	}
	var managers, workers []Node
	for _, n := range nodes[1:] {
		if n.Role == roleManager {
			managers = append(managers, n)
		} else {
			workers = append(workers, n)
		}
	}
	err := parallel(append([]Node{{}}, workers...), func(n Node) error {
		if n.Name != "" {
			return s.joinSwarm(ctx, n, swarm.JoinTokens.Worker)
		}
		for _, m := range managers { // one after the other: each changes who votes
			if err := s.joinSwarm(ctx, m, swarm.JoinTokens.Manager); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	say(fmt.Sprintf("%d nodes are in the swarm", len(nodes)))
	return s.waitMembers(ctx, nodes)
}

// initSwarm makes the swarm on its first node.
func (s *state) initSwarm(ctx context.Context, n Node) error {
	state, err := s.settled(ctx, n)
	if err != nil || state == "active" {
		return err
	}
	return s.engine(n.Name).call(ctx, http.MethodPost, "/swarm/init", map[string]any{
		"ListenAddr": listen, "AdvertiseAddr": n.Address,
		"Spec": map[string]any{"EncryptionConfig": map[string]any{"AutoLockManagers": s.Autolock}},
	}, nil)
}

// joinSwarm brings one more node in.
func (s *state) joinSwarm(ctx context.Context, n Node, token string) error {
	return s.joinBy(ctx, n, s.swarmNodes()[0], token)
}

// joinBy brings a node in by a manager of the swarm.
func (s *state) joinBy(ctx context.Context, n, manager Node, token string) error {
	state, err := s.settled(ctx, n)
	if err != nil || state == "active" {
		return err
	}
	err = s.engine(n.Name).call(ctx, http.MethodPost, "/swarm/join", map[string]any{
		"ListenAddr": listen, "AdvertiseAddr": n.Address, "JoinToken": token,
		"RemoteAddrs": []string{manager.Address + ":2377"},
	}, nil)
	// A join that the engine reports as slow goes on by itself.
	if err != nil && !strings.Contains(err.Error(), "Timeout was reached") {
		return fmt.Errorf("node %s can't join the swarm: %w", n.Name, err)
	}
	if state, err = s.settled(ctx, n); err == nil && state != "active" {
		err = fmt.Errorf("node %s did not join the swarm: its engine says it is %q", n.Name, state)
	}
	return err
}

// settled waits until an engine knows where it stands: active or inactive. A
// locked one is unlocked; it was restarted while the lab was being made.
func (s *state) settled(ctx context.Context, n Node) (string, error) {
	var last swarmInfo
	err := WaitFor(ctx, joinTimeout, "node "+n.Name+" to settle in the swarm", func() (bool, error) {
		info, err := s.engine(n.Name).info(ctx)
		if err != nil {
			return false, nil
		}
		last = info
		if info.Swarm.LocalNodeState == "locked" {
			return false, s.unlock(ctx, n.Name)
		}
		return info.Swarm.LocalNodeState == "active" || info.Swarm.LocalNodeState == "inactive", nil
	})
	if err != nil {
		return "", fmt.Errorf("%w: its engine says %q %s", err, last.Swarm.LocalNodeState, last.Swarm.Error)
	}
	return last.Swarm.LocalNodeState, nil
}

// waitMembers waits until the first manager sees all of them ready.
func (s *state) waitMembers(ctx context.Context, nodes []Node) error {
	var missing []string
	err := WaitFor(ctx, joinTimeout, "every node to be ready in the swarm", func() (bool, error) {
		members, err := s.members(ctx, nodes[0].Name)
		if err != nil {
			missing = []string{err.Error()}
			return false, nil
		}
		missing = nil
		for _, n := range nodes {
			if m, ok := members[n.Name]; !ok || m.Status.State != "ready" {
				missing = append(missing, n.Name)
			}
		}
		return len(missing) == 0, nil
	})
	if err != nil {
		return fmt.Errorf("%w; missing: %s", err, strings.Join(missing, ", "))
	}
	return nil
}

// member is a node as a manager lists it.
type member struct {
	ID            string
	Version       struct{ Index uint64 }
	Spec          map[string]any
	Description   struct{ Hostname string }
	Status        struct{ State string }
	ManagerStatus struct{ Leader bool }
}

// members are the swarm's nodes by hostname, as one of its managers sees them.
func (s *state) members(ctx context.Context, manager string) (map[string]member, error) {
	var list []member
	if err := s.engine(manager).call(ctx, http.MethodGet, "/nodes", nil, &list); err != nil {
		return nil, err
	}
	byName := map[string]member{}
	for _, m := range list {
		byName[m.Description.Hostname] = m
	}
	return byName, nil
}

// drainManagers takes the managers out of scheduling.
func (s *state) drainManagers(ctx context.Context) error {
	nodes := s.swarmNodes()
	members, err := s.members(ctx, nodes[0].Name)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		m := members[n.Name]
		if n.Role != roleManager || m.Spec["Availability"] == "drain" {
			continue
		}
		m.Spec["Availability"] = "drain"
		path := fmt.Sprintf("/nodes/%s/update?version=%d", m.ID, m.Version.Index)
		if err := s.engine(nodes[0].Name).call(ctx, http.MethodPost, path, m.Spec, nil); err != nil {
			return err
		}
	}
	return nil
}

// keepUnlockKey stores the key of an auto-locked swarm. A real operator keeps
// it away from the machines; a lab has nothing to protect.
func (s *state) keepUnlockKey(ctx context.Context) error {
	if !s.Autolock {
		return nil
	}
	var answer struct{ UnlockKey string }
	if err := s.engine(s.swarmNodes()[0].Name).call(ctx, http.MethodGet, "/swarm/unlockkey", nil, &answer); err != nil {
		return err
	}
	return writeFile(s.path("unlock-key"), []byte(answer.UnlockKey+"\n"), 0o600)
}

func (s *state) unlockKey() (string, error) {
	data, err := os.ReadFile(s.path("unlock-key"))
	if err != nil {
		return "", fmt.Errorf("lab %s has no unlock key (made with -autolock?): %w", s.Name, err)
	}
	return strings.TrimSpace(string(data)), nil
}

func (s *state) unlock(ctx context.Context, node string) error {
	key, err := s.unlockKey()
	if err != nil {
		return err
	}
	return s.engine(node).call(ctx, http.MethodPost, "/swarm/unlock", map[string]string{"UnlockKey": key}, nil)
}

// bootsAtOnce bounds how many nodes boot side by side: each takes a processor
// for a second or two.
const bootsAtOnce = 8

// bounded is parallel with at most so many at once.
func bounded[T any](atOnce int, things []T, do func(T) error) error {
	slots := make(chan struct{}, atOnce)
	return parallel(things, func(t T) error {
		slots <- struct{}{}
		defer func() { <-slots }()
		return do(t)
	})
}

// parallel does the same for several things at once, and joins their errors.
func parallel[T any](things []T, do func(T) error) error {
	errs := make([]error, len(things))
	var wg sync.WaitGroup
	for i, t := range things {
		wg.Go(func() { errs[i] = do(t) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
