//go:build lab

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// With the build tag lab, RQ_TESTONLY_MARGINS=FILE makes apply ask the managers'
// engines after every step how many managers there are and how many are up, and
// append that to FILE beside what the plan said, a line of JSON for each step.
func init() {
	file := os.Getenv("RQ_TESTONLY_MARGINS")
	if file == "" {
		return
	}
	watched = func(s *session, p *plan.Plan, sink apply.Sink) apply.Sink {
		return sinkFunc(func(e apply.Event) {
			sink.Event(e)
			if e.Type == apply.StepDone {
				s.compareMargin(file, p.Steps[e.Step-1], hostRunsOn(p, e.Step-1))
			}
		})
	}
}

// marginPatience is for how long engines may take to see what a step has done: a
// leader notices a manager that stopped, and that one came back, after some seconds.
const marginPatience = 20 * time.Second

// hostRunsOn are the margins at which the engines may be after a step: a backup's run
// on the host starts the engine, and unlocks it, by itself once the copy is made.
func hostRunsOn(p *plan.Plan, step int) []plan.Margin {
	margins := []plan.Margin{p.Steps[step].Margin}
	if first := p.Steps[step]; first.Backup != "" {
		for _, next := range p.Steps[step+1:] {
			if next.Node != first.Node || next.Kind == plan.Verify {
				break
			}
			margins = append(margins, next.Margin)
		}
	}
	return margins
}

// compareMargin looks until what is seen is what the plan said, and writes down both.
func (s *session) compareMargin(file string, step plan.Step, said []plan.Margin) {
	var seen plan.Margin
	var account string
	for until := time.Now().Add(marginPatience); ; {
		seen, account = s.seenMargin()
		if agrees(said, seen) || time.Now().After(until) {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	line, err := json.Marshal(map[string]any{"step": step.ID, "kind": step.Kind, "node": step.Node, "said": step.Margin, "seen": seen,
		"agrees": agrees(said, seen), "account": account})
	if err != nil {
		panic(err)
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if _, err := f.Write(append(line, '\n')); err != nil {
		panic(err)
	}
}

// agrees compares what is said with what is seen: where no quorum answers nothing
// tells how many managers there are.
func agrees(said []plan.Margin, seen plan.Margin) bool {
	return slices.ContainsFunc(said, func(m plan.Margin) bool {
		if seen.Managers == 0 {
			return m.Spare < 0
		}
		return m == seen
	})
}

// seenMargin asks every declared manager's engine, side by side, and takes the account
// of one that has a quorum in sight; zero where none has. A manager whose own engine
// says that it is not at work is down, whatever the leader still thinks of it.
func (s *session) seenMargin() (plan.Margin, string) {
	accounts, asleep := make([][]state.SwarmNode, len(s.cfg.Nodes)), make([]string, len(s.cfg.Nodes))
	var all sync.WaitGroup
	for i, n := range s.cfg.Nodes {
		if h, ok := s.pool.Host(n.Name); ok && n.Role == "manager" {
			all.Go(func() {
				nodes, working := askNodes(func(ctx context.Context) (net.Conn, error) { return h.DialSocket(ctx, "/var/run/docker.sock") })
				if accounts[i] = nodes; !working {
					asleep[i] = n.Name
				}
			})
		}
	}
	all.Wait()
	for _, nodes := range accounts {
		m := plan.Margin{}
		text := ""
		for _, n := range nodes {
			if !n.Leader && n.Reachability == "" && n.ManagerAddr == "" {
				continue
			}
			text += fmt.Sprintf("%s %s leader=%v; ", n.Hostname, n.Reachability, n.Leader)
			m.Managers++
			if n.Reachability == "reachable" && !slices.Contains(asleep, n.Hostname) {
				m.Up++
			}
		}
		m.Quorum = m.Managers/2 + 1
		m.Spare = m.Up - m.Quorum
		if m.Managers > 0 && m.Spare >= 0 {
			return m, text
		}
	}
	return plan.Margin{}, fmt.Sprintf("no manager has a quorum in sight; not at work: %q", asleep)
}

// askNodes asks one engine for the list of nodes, and whether it takes part in a
// swarm as a manager.
func askNodes(dial func(context.Context) (net.Conn, error)) (nodes []state.SwarmNode, working bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := engine.New(dial)
	if err != nil {
		return nil, false
	}
	defer c.Close()
	info, err := c.Info(ctx)
	if err != nil || !info.ControlAvailable || info.LocalNodeState != "active" {
		return nil, false
	}
	nodes, err = c.Nodes(ctx)
	return nodes, err == nil
}
