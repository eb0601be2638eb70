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
	labSmall = "bn1" // three managers and a worker
	labFifty = "bn2"

	smallSize = "128 MB of preallocated log"
)

var largeSize = fmt.Sprintf("%d services and %d secrets", manyServices, manySecrets)

// bench is one run of this program.
type bench struct {
	program string // requeen
	out     string // directory of the results
	only    string // section, or empty for all
	quick   bool
	number  int // of rounds, 0 for each section's own
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
	if err := b.fifty(ctx, keep); err != nil {
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

// small measures on a small swarm that becomes a large one.
func (b *bench) small(ctx context.Context, keep func(Section) error) (err error) {
	down, memory, size := b.wants(sectionDowntime), b.wants(sectionMemory), b.wants(sectionSize)
	if !down && !memory && !size {
		return nil
	}
	b.machine = thisMachine()
	s, err := b.up(ctx, labSmall, 1)
	if s != nil {
		defer s.down()
	}
	if err != nil {
		return err
	}
	if down || memory {
		if err := s.backups(ctx, down, memory, keep); err != nil {
			return err
		}
	}
	if !size {
		return nil
	}
	section, err := s.size(ctx)
	if err != nil {
		return err
	}
	return keep(section)
}

// backups measures backups at both sizes of a swarm directory: the time, and of
// the same backups the memory.
func (s *swarm) backups(ctx context.Context, down, memory bool, keep func(Section) error) error {
	small, err := s.stopsOf(ctx, smallSize, s.rounds(9), down)
	if err != nil {
		return err
	}
	if err := s.fill(ctx, manyServices, manySecrets); err != nil {
		return err
	}
	large, err := s.stopsOf(ctx, largeSize, s.rounds(7), down)
	if err != nil {
		return err
	}
	notes := []string{
		fmt.Sprintf("At %s, %s. At %s, %s.", small.size, small.note(), large.size, large.note()),
	}
	if down {
		err = keep(s.section(sectionDowntime, s.engine, notes, append(small.downtimeRows(), large.downtimeRows()...)))
	}
	if memory && err == nil {
		err = keep(s.section(sectionMemory, s.engine, notes, append(small.memoryRows(), large.memoryRows()...)))
	}
	return err
}

// fifty measures plans on a swarm of fifty nodes.
func (b *bench) fifty(ctx context.Context, keep func(Section) error) error {
	if !b.wants(sectionPlan) {
		return nil
	}
	putBack, err := b.raiseInotify()
	if err != nil {
		return err
	}
	defer putBack()
	b.machine = thisMachine()
	s, err := b.up(ctx, labFifty, fiftyWorkers)
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
