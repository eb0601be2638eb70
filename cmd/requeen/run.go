package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"slices"
	"syscall"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/effects"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// runPlan runs a plan and shows what happens.
func (s *session) runPlan(ctx context.Context, f applyFlags, p *plan.Plan, digest string, raw []byte, typed bool) error {
	interrupt, stop := interrupts(p)
	defer stop()
	began := s.app.now()
	result, err := apply.Start(ctx, s.ports(f, p), s.request(f, p, digest, raw, typed, interrupt))
	s.hooks(p, result, began, err)
	s.made = result.Backups
	return err
}

// abandon closes a run that can't be finished any more.
func (s *session) abandon(ctx context.Context, f applyFlags, p *plan.Plan, digest string, raw []byte) error {
	interrupt, stop := interrupts(p)
	defer stop()
	return apply.Abandon(ctx, s.ports(f, p), s.request(f, p, digest, raw, true, interrupt))
}

func (s *session) ports(f applyFlags, p *plan.Plan) apply.Ports {
	world := effects.New(s.effects())
	return apply.Ports{Observer: s, Hosts: world, Archive: world, Recoverer: world, Shaper: world, Scheduler: world, Data: world, Clock: realClock{}, Sink: watched(s, p, s.sink(f.json, p))}
}

// watched is the sink as it is. The program of the end-to-end tests looks at the
// engines after every step there.
var watched = func(_ *session, _ *plan.Plan, sink apply.Sink) apply.Sink { return sink }

func (s *session) request(f applyFlags, p *plan.Plan, digest string, raw []byte, typed bool, interrupt <-chan struct{}) apply.Request {
	return apply.Request{
		Plan: p, Digest: digest, PlanBytes: raw, JournalRoot: s.journal,
		Approval:  apply.Approval{Digest: f.digest, Codes: f.approve, Typed: typed},
		Interrupt: interrupt, ToolVersion: version, Owner: owner(), ConfigSHA256: s.cfg.SHA256, NoLock: !f.lock,
		NewID: func(now time.Time) string { return repository.NewID(now, rand.Reader) },
	}
}

// interrupts gives a channel that is closed at the first interrupt; the second
// ends the program, and the hosts go on by themselves.
func interrupts(p *plan.Plan) (<-chan struct{}, func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	first := make(chan struct{})
	done := make(chan struct{})
	go func() {
		select {
		case <-signals:
			close(first)
		case <-done:
			return
		}
		select {
		case <-signals:
			fmt.Fprintln(os.Stderr, endedText(p))
			os.Exit(diag.ExitInterrupted)
		case <-done:
		}
	}()
	return first, func() { signal.Stop(signals); close(done) }
}

// endedText says what stands after a run that was ended in mid-step.
func endedText(p *plan.Plan) string {
	if p.Recovery != nil && p.Recovery.Rung != plan.RungStart {
		return "\nEnded at once. Engines that the recovery holds stay down, also over a reboot, until it lets them go; run requeen apply to go on, requeen status to see them."
	}
	if !slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.DataRestore == nil }) {
		return "\nEnded at once. Services that wait for their data stay without tasks, and say so in their labels; run requeen apply to go on."
	}
	if !slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return !s.OnRepository() }) {
		return "\nEnded at once. What was removed is gone, and a copy that was cut is none; run requeen apply to finish."
	}
	if !slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return !s.Schedules() }) {
		return "\nEnded at once. Run requeen apply to finish: what is on the hosts is looked at again."
	}
	if !slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return !s.Shapes() }) {
		return "\nEnded at once. What the step under way had asked of the swarm goes on; run requeen apply to finish."
	}
	return "\nEnded at once. A manager that was stopped is started again by its own host; run requeen apply to finish."
}

func owner() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	machine, _ := os.Hostname()
	return fmt.Sprintf("%s@%s pid %d", name, machine, os.Getpid())
}

// effects says what the real world is made of for this configuration.
func (s *session) effects() effects.Options {
	o := effects.Options{
		Pool: s.pool, Nodes: map[string]effects.Node{}, Repositories: map[string]repository.Options{},
		Now: s.app.now, ListenAddr: s.cfg.Cluster.ListenAddr, DataPathAddr: s.cfg.Cluster.DataPathAddr,
		ConfiguredKey: func() (string, bool) {
			key := s.cfg.Cluster.UnlockKey
			if !key.Known() {
				return "", false
			}
			return key.Reveal(), true
		},
	}
	for _, n := range s.cfg.Nodes {
		if !n.Connection.None {
			o.Nodes[n.Name] = effects.Node{Address: n.Address, Manager: n.Role == schema.RoleManager, DownMax: n.Engine.DownMax}
		}
	}
	o.Escrow, o.Schedule, o.ScheduledOn = escrow(s.cfg), s.scheduleOf, s.scheduledOn
	for _, r := range s.cfg.Repositories {
		o.Repositories[r.Name] = repositoryOptions(s.cfg, r)
	}
	for _, file := range s.cfg.Files {
		o.Files = append(o.Files, effects.File{Name: file.Name, Bytes: file.Bytes})
	}
	return o
}

// sink shows events as lines of JSON or for people.
func (s *session) sink(asJSON bool, p *plan.Plan) apply.Sink {
	if asJSON {
		_ = writeLines(s.app.out, view.NewVersionLine("apply", version, s.app.now()))
		return sinkFunc(func(e apply.Event) { _ = writeLines(s.app.out, eventLine{view.LinesVersion, e}) })
	}
	run := &view.Run{Screen: screenOf(s.app.out), Steps: len(p.Steps)}
	run.Kinds, run.Nodes = view.StepWidths(p)
	return sinkFunc(func(e apply.Event) {
		run.Event(view.RunEvent{Type: string(e.Type), At: e.At, Step: e.Step, Kind: e.Kind, Node: e.Node, Text: e.Text,
			Stage: e.Stage, Bytes: e.Bytes, Total: e.Total, Backup: e.Backup, Error: e.Error, Remedy: e.Remedy})
	})
}

type sinkFunc func(apply.Event)

func (f sinkFunc) Event(e apply.Event) { f(e) }

// realClock is time as it passes.
type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
