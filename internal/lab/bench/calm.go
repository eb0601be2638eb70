package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

const (
	backIn    = 2 * time.Minute
	idleShare = 0.8 // of the processors, for a second
	calmIn    = 20 * time.Second
	bootedIn  = 10 * time.Minute // for fifty nodes to have their tasks
)

// leader is the leading manager's name, once every manager sees all of them
// reachable and the same one lead.
func (s *swarm) leader(ctx context.Context) (string, error) {
	leader, last := "", error(nil)
	err := lab.WaitFor(ctx, backIn, "all managers to be reachable", func() (bool, error) {
		leader, last = "", nil
		for _, m := range s.managers {
			var said string
			if said, last = s.leaderBy(ctx, m); last != nil || leader != "" && said != leader {
				return false, nil
			}
			leader = said
		}
		return true, nil
	})
	if err != nil && last != nil {
		err = fmt.Errorf("%w (last: %w)", err, last)
	}
	return leader, err
}

// leaderBy is the leader as one manager sees it, who sees all others reachable.
func (s *swarm) leaderBy(ctx context.Context, manager string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var list []struct {
		Description   struct{ Hostname string }
		Status        struct{ State string }
		ManagerStatus *struct {
			Leader       bool
			Reachability string
		}
	}
	if err := s.call(ctx, manager, http.MethodGet, "/nodes", nil, &list); err != nil {
		return "", err
	}
	leader, up := "", 0
	for _, n := range list {
		if n.ManagerStatus == nil {
			continue
		}
		if n.ManagerStatus.Reachability == "reachable" && n.Status.State == "ready" {
			up++
		}
		if n.ManagerStatus.Leader {
			leader = n.Description.Hostname
		}
	}
	if up != len(s.managers) || leader == "" {
		return "", fmt.Errorf("%s sees %d managers up, and %q lead", manager, up, leader)
	}
	return leader, nil
}

// settle waits until the swarm is whole and the machine is calm, and sees that
// the measured manager follows, unless it is the only one: a leader's stop costs
// an election besides.
func (s *swarm) settle(ctx context.Context) error {
	node := s.measured
	for range 3 {
		leader, err := s.leader(ctx)
		if err != nil {
			return err
		}
		if leader != node || len(s.managers) == 1 {
			return s.calm(ctx, calmIn)
		}
		s.say("  %s leads; its engine is restarted, so that another one does", node)
		if _, err := s.lab.Run(ctx, node, resetFailed+"systemctl restart docker.service"); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s leads again and again, and a follower is to be measured; run it again", node)
}

// calm waits for a second in which the processors are mostly idle. A machine
// that has other work never is, and is measured all the same: the load stands
// in the results.
func (b *bench) calm(ctx context.Context, limit time.Duration) error {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		work, all := busy()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
		workNow, allNow := busy()
		if allNow > all && (workNow-work)/(allNow-all) <= 1-idleShare {
			return nil
		}
	}
	return nil
}
