package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// losses are what is recovered from, with the bound on the ratio.
var losses = []struct {
	name  string
	bound *Bound
	lost  func(*swarm, context.Context, *loss) error
	by    func(*swarm, context.Context, *loss) error // the documented procedure
}{
	{"two of three managers lost, the survivor followed", &Bound{Max: 0.5}, (*swarm).loseOthers, (*swarm).forceByHand},
	{"two of three managers lost, the survivor led", nil, (*swarm).loseFollowers, (*swarm).forceByHand},
	{"every manager lost", &Bound{Max: 0.35}, (*swarm).loseAll, (*swarm).restoreByHand},
}

// loss is one round.
type loss struct {
	target string   // the survivor, or the manager that a backup is restored onto
	others []string // the other managers
	dir    string   // of the configuration
}

// recoveries measures recoveries by requeen and by hand, in turn.
func (b *bench) recoveries(ctx context.Context, keep func(Section) error) error {
	if !b.wants(sectionRecovery) {
		return nil
	}
	b.machine = thisMachine()
	s, err := b.up(ctx, labLost, 3, 1)
	if s != nil {
		defer s.down()
	}
	if err != nil {
		return err
	}
	var rows []Row
	for _, l := range losses {
		var ours, other []float64
		rounds := b.rounds(3)
		for round := range rounds {
			for turn := range 2 {
				hand := (round+turn)%2 == 1
				took, err := s.recovery(ctx, l.lost, l.by, hand)
				if err != nil {
					return fmt.Errorf("%s, round %d: %w", l.name, round+1, err)
				}
				way, list := "requeen", &ours
				if hand {
					way, list = "by hand", &other
				}
				*list = append(*list, rounded(took.Seconds()))
				b.say("%s, round %d of %d, %s: three managers after %.1f s", l.name, round+1, rounds, way, took.Seconds())
			}
		}
		rows = append(rows, Row{What: l.name, Ours: Series{"requeen", "s", ours}, Other: Series{"the documented procedure", "s", other},
			Bound: l.bound})
	}
	return keep(s.section(sectionRecovery, s.engine, nil, rows))
}

// recovery is one round: a swarm that is well, a loss, and the way back.
func (s *swarm) recovery(ctx context.Context, lost, byHand func(*swarm, context.Context, *loss) error, hand bool) (time.Duration, error) {
	l, err := s.beforeLoss(ctx)
	if err != nil {
		return 0, err
	}
	if err := lost(s, ctx, l); err != nil {
		return 0, err
	}
	way := s.byRequeen
	if hand {
		way = func(ctx context.Context, l *loss) error { return byHand(s, ctx, l) }
	}
	return s.threeAfter(ctx, l, way)
}

// threeAfter is after what time the target sees three managers that are reachable,
// whatever the way goes on to do then.
func (s *swarm) threeAfter(ctx context.Context, l *loss, way func(context.Context, *loss) error) (time.Duration, error) {
	begin, ended := time.Now(), make(chan error, 1)
	go func() { ended <- way(ctx, l) }()
	seen := make(chan time.Duration, 1)
	watch, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		if s.eventually(watch, 5*time.Minute, l.target+" to see three managers", func() bool { return s.reachable(watch, l.target) == 3 }) == nil {
			seen <- time.Since(begin)
		}
	}()
	if err := <-ended; err != nil {
		return 0, err
	}
	select {
	case took := <-seen:
		return took, nil
	case <-time.After(time.Minute):
		return 0, fmt.Errorf("%s does not see three managers", l.target)
	}
}

// beforeLoss waits for a calm swarm and writes a configuration of the round's own.
func (s *swarm) beforeLoss(ctx context.Context) (*loss, error) {
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	leader, err := s.leader(ctx)
	if err != nil {
		return nil, err
	}
	l := &loss{target: leader}
	l.others = slices.DeleteFunc(slices.Clone(s.managers), func(m string) bool { return m == leader })
	l.dir, err = s.configure("recovery", func(text string) string {
		return text + "\nrecovery {\n  allow = [\"start\", \"unlock\", \"force_new_cluster\", \"restore\"]\n}\n"
	})
	return l, err
}

// reachable is how many managers a node's engine sees.
func (s *swarm) reachable(ctx context.Context, node string) int {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	var list []struct {
		ManagerStatus *struct{ Reachability string }
	}
	if s.call(ctx, node, http.MethodGet, "/nodes", nil, &list) != nil {
		return 0
	}
	n := 0
	for _, node := range list {
		if node.ManagerStatus != nil && node.ManagerStatus.Reachability == "reachable" {
			n++
		}
	}
	return n
}

func (s *swarm) eventually(ctx context.Context, limit time.Duration, what string, holds func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("gave up waiting for %s", what))
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

// newDisks has nodes lose their power and their swarm directories, and boot.
func (s *swarm) newDisks(ctx context.Context, nodes []string) error {
	var errs []error
	for _, n := range nodes {
		errs = append(errs, s.lab.Kill(ctx, n))
	}
	for _, n := range nodes {
		found, err := filepath.Glob(s.lab.Disk(n, "swarm*"))
		errs = append(errs, err)
		for _, dir := range found {
			errs = append(errs, os.RemoveAll(dir))
		}
	}
	started := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() { started[i] = s.lab.StartNode(ctx, n) })
	}
	wg.Wait()
	return errors.Join(append(errs, started...)...)
}

// address is a node's own, "" where there is no such node.
func (s *swarm) address(node string) string {
	n, err := s.lab.Node(node)
	if err != nil {
		return ""
	}
	return n.Address
}

// loseOthers leaves a follower alone.
func (s *swarm) loseOthers(ctx context.Context, l *loss) error {
	s.outlives(l, l.others[0])
	return s.loseFollowers(ctx, l)
}

// outlives makes another manager the round's target.
func (s *swarm) outlives(l *loss, target string) {
	l.target = target
	l.others = slices.DeleteFunc(slices.Clone(s.managers), func(m string) bool { return m == target })
}

// loseFollowers leaves the leader alone, and waits until it says so.
func (s *swarm) loseFollowers(ctx context.Context, l *loss) error {
	if err := s.newDisks(ctx, l.others); err != nil {
		return err
	}
	return s.eventually(ctx, 2*time.Minute, l.target+" to have no leader", func() bool {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		var info struct{ Swarm struct{ Error string } }
		return s.call(ctx, l.target, http.MethodGet, "/info", nil, &info) == nil && strings.Contains(info.Swarm.Error, "does not have a leader")
	})
}

// loseAll takes both kinds of backup of a follower, and leaves nobody.
func (s *swarm) loseAll(ctx context.Context, l *loss) error {
	leader := l.target
	s.outlives(l, l.others[0])
	file := filepath.Join(l.dir, "lab.rq.hcl")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), `from = "follower"`, `from = "`+l.target+`"`)), 0o600); err != nil {
		return err
	}
	if _, err := s.requeen(ctx, l.dir, nil, "plan", "-backup", "-out", "backup.plan"); err != nil {
		return err
	}
	if _, err := s.requeen(ctx, l.dir, nil, "apply", "backup.plan"); err != nil {
		return err
	}
	if _, err := s.lab.Run(ctx, l.target, resetFailed+"rm -f /root/swarm.tgz; "+stopEngine+archive+startEngine); err != nil {
		return err
	}
	if err := s.eventually(ctx, time.Minute, "the swarm to be whole", func() bool { return s.reachable(ctx, leader) == 3 }); err != nil {
		return err
	}
	return s.newDisks(ctx, s.managers)
}

// byRequeen plans, and applies what the digest approves.
func (s *swarm) byRequeen(ctx context.Context, l *loss) error {
	file := filepath.Join(l.dir, "recovery.plan")
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := s.requeen(ctx, l.dir, nil, "plan", "-out", file); err != nil {
		return err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var p struct{ Digest string }
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	_, err = s.requeen(ctx, l.dir, nil, "apply", "-digest", p.Digest, file)
	return err
}

// forceByHand is what docker's guide has for a lost quorum.
func (s *swarm) forceByHand(ctx context.Context, l *loss) error {
	if _, err := s.lab.Run(ctx, l.target, "docker swarm init --force-new-cluster --advertise-addr "+s.address(l.target)); err != nil {
		return err
	}
	return s.joinByHand(ctx, l)
}

// restoreByHand is what docker's guide has for a restore: stop, replace, start,
// init. The engine starts as the manager of three that it was, and answers nobody
// until it has given up to find the others.
func (s *swarm) restoreByHand(ctx context.Context, l *loss) error {
	if _, err := s.lab.Run(ctx, l.target, stopEngine+"rm -rf /var/lib/docker/swarm && tar xzf /root/swarm.tgz -C /var/lib/docker && "+startEngine); err != nil {
		return err
	}
	if _, err := s.lab.Run(ctx, l.target, "docker swarm init --force-new-cluster --advertise-addr "+s.address(l.target)); err != nil {
		return err
	}
	return s.joinByHand(ctx, l)
}

// joinByHand is its rest, for each host: clean, start, join, remove the old entry.
func (s *swarm) joinByHand(ctx context.Context, l *loss) error {
	if err := s.eventually(ctx, 2*time.Minute, l.target+" to lead", func() bool { return s.reachable(ctx, l.target) >= 1 }); err != nil {
		return err
	}
	token, err := s.lab.Run(ctx, l.target, "docker swarm join-token -q manager")
	if err != nil {
		return err
	}
	for i, n := range l.others {
		old, err := s.lab.Run(ctx, l.target, "docker node ls --format '{{.ID}} {{.Hostname}} {{.Status}}' | awk '$2 == \""+n+"\" {print $1}'")
		if err != nil {
			return err
		}
		if _, err := s.lab.Run(ctx, n, resetFailed+stopEngine+"rm -rf /var/lib/docker/swarm; "+startEngine+
			"; docker swarm join --token "+strings.TrimSpace(token)+" --advertise-addr "+s.address(n)+" "+s.address(l.target)+":2377"); err != nil {
			return err
		}
		if err := s.eventually(ctx, time.Minute, n+" to be reachable", func() bool { return s.reachable(ctx, l.target) == i+2 }); err != nil {
			return err
		}
		for _, id := range strings.Fields(old) {
			if _, err := s.lab.Run(ctx, l.target, "docker node demote "+id+" >/dev/null; docker node rm --force "+id+" >/dev/null"); err != nil {
				return err
			}
		}
	}
	return nil
}
