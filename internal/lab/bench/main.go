package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	labOne   = "bn1" // one manager and a worker
	labThree = "bn3"
	labFifty = "bn50"
	labLost  = "bnlost"

	smallSize = "128 MB of preallocated log"
)

var largeSize = fmt.Sprintf("%d services and %d secrets", manyServices, manySecrets)

// bench is one run of this program.
type bench struct {
	program string // requeen
	out     string // directory of the results
	only    string // section, or empty for all
	quick   bool
	number  int   // of rounds, 0 for each section's own
	bytes   int64 // that are archived, 0 for the section's own
	keep    bool
	began   time.Time
	machine Machine // as the section found it
}

func main() {
	b := &bench{began: time.Now()}
	flag.StringVar(&b.program, "program", "bin/requeen", "the built `FILE` to measure (make build)")
	flag.StringVar(&b.out, "results", "internal/lab/bench", "`DIR` in which results.json and results.md are written")
	flag.StringVar(&b.only, "only", "", "measure one `SECTION` and keep the others: "+strings.Join(sections, ", "))
	flag.BoolVar(&b.quick, "quick", false, "one round of everything, to try it; writes no results")
	flag.IntVar(&b.number, "rounds", 0, "measure `N` rounds of everything, not as many as each section has")
	flag.Int64Var(&b.bytes, "archive-bytes", 0, "archive a directory of `N` bytes, not of 2 GB")
	flag.BoolVar(&b.keep, "keep", false, "leave the labs, for another run with -keep")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := b.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures, and fails when a bound is broken by what is measured now.
func (b *bench) run(ctx context.Context) error {
	if flag.NArg() > 0 || b.only != "" && !slices.Contains(sections, b.only) {
		return fmt.Errorf("-only takes one of %s, and nothing follows the flags", strings.Join(sections, ", "))
	}
	program, err := filepath.Abs(b.program)
	if err != nil {
		return err
	}
	if _, err := os.Stat(program); err != nil {
		return fmt.Errorf("there is no program to measure: %w; build it: make build", err)
	}
	b.program = program
	results, err := load(b.out)
	if err != nil {
		return err
	}
	var broken []string
	keep := func(s Section) error {
		fmt.Println()
		s.table(os.Stdout)
		fmt.Println()
		broken = append(broken, s.broken()...)
		if b.quick {
			return nil
		}
		results.put(s)
		return results.save(b.out)
	}
	if err := b.small(ctx, keep); err != nil {
		return err
	}
	if err := b.recoveries(ctx, keep); err != nil {
		return err
	}
	if err := b.fifty(ctx, keep); err != nil {
		return err
	}
	if err := b.archives(ctx, keep); err != nil {
		return err
	}
	b.say("done")
	switch {
	case b.quick:
		b.say("one round is no result: nothing was written or judged")
	case len(broken) > 0:
		return errors.New("a bound is broken:\n  " + strings.Join(broken, "\n  "))
	}
	return nil
}

func (b *bench) wants(section string) bool { return b.only == "" || b.only == section }

// rounds is how often something is measured.
func (b *bench) rounds(n int) int {
	switch {
	case b.quick:
		return 1
	case b.number > 0:
		return b.number
	}
	return n
}

// say tells how far it is.
func (b *bench) say(format string, args ...any) {
	fmt.Printf("%6.1f s  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// section joins what was measured with what it was measured on.
func (b *bench) section(name, engine string, notes []string, rows []Row) Section {
	command := "make bench"
	if b.only != "" {
		command = "go run ./internal/lab/bench -only " + b.only
	}
	return Section{Name: name, Made: time.Now().UTC().Format(time.DateOnly), Command: command,
		Machine: b.machine, Engine: engine, Notes: notes, Rows: rows}
}

// small measures on swarms that are small, and become large ones.
func (b *bench) small(ctx context.Context, keep func(Section) error) error {
	down, memory, size := b.wants(sectionDowntime), b.wants(sectionMemory), b.wants(sectionSize)
	if !down && !memory && !size {
		return nil
	}
	b.machine = thisMachine()
	var all []*stops
	for _, l := range []struct {
		name     string
		managers int
		rounds   int
	}{{labOne, 1, 9}, {labThree, 3, 5}} {
		s, list, err := b.stopsOn(ctx, l.name, l.managers, l.rounds, down || memory)
		if s == nil {
			return err
		}
		all = append(all, list...)
		if err == nil && l.managers == 3 {
			err = s.keepStops(ctx, all, keep)
		}
		s.down()
		if err != nil {
			return err
		}
	}
	return nil
}

// stopsOn makes a lab and measures its backups at both sizes.
func (b *bench) stopsOn(ctx context.Context, name string, managers, rounds int, measure bool) (*swarm, []*stops, error) {
	s, err := b.up(ctx, name, managers, 1)
	if err != nil || !measure {
		return s, nil, err
	}
	small, err := s.stopsOf(ctx, smallSize, s.rounds(rounds))
	if err != nil {
		return s, nil, err
	}
	if err := s.fill(ctx, manyServices, manySecrets); err != nil {
		return s, nil, err
	}
	large, err := s.stopsOf(ctx, largeSize, s.rounds(rounds))
	return s, []*stops{small, large}, err
}

// keepStops makes sections of all that was measured: the time, of the same
// backups the memory, and the size.
func (s *swarm) keepStops(ctx context.Context, all []*stops, keep func(Section) error) error {
	var down, memory []Row
	var notes []string
	for _, o := range all {
		down, memory = append(down, o.downtimeRows()...), append(memory, o.memoryRows()...)
		if o.judged {
			notes = append(notes, fmt.Sprintf("At %s, %s.", o.size, o.note()))
		}
	}
	if s.wants(sectionDowntime) {
		if err := keep(s.section(sectionDowntime, s.engine, notes, down)); err != nil {
			return err
		}
	}
	if s.wants(sectionMemory) {
		if err := keep(s.section(sectionMemory, s.engine, notes, memory)); err != nil {
			return err
		}
	}
	if !s.wants(sectionSize) {
		return nil
	}
	size, err := s.size(ctx)
	if err != nil {
		return err
	}
	return keep(size)
}

// fifty measures plans on a swarm of fifty nodes.
func (b *bench) fifty(ctx context.Context, keep func(Section) error) error {
	if !b.wants(sectionPlan) {
		return nil
	}
	putBack, err := b.raiseLimits()
	if err != nil {
		return err
	}
	defer putBack()
	b.machine = thisMachine()
	s, err := b.up(ctx, labFifty, 3, fiftyWorkers)
	if s != nil {
		defer s.down()
	}
	if err != nil {
		return err
	}
	section, err := s.planTimes(ctx, b.rounds(11))
	if err != nil {
		return err
	}
	return keep(section)
}
