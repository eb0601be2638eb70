//go:build lab

package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

// pauseVariable makes the program under test wait after that many journal writes;
// see apply/testonly_lab.go.
const pauseVariable = "RQ_TESTONLY_PAUSE_AFTER_JOURNAL_WRITE"

// aCut is a way in which the network to a step's host is cut.
type aCut struct {
	name  string
	from  []string
	delay time.Duration // after the step's intent was written
}

// The host is cut from where requeen runs before the step says its first word to
// it and in the middle of it, and from everybody.
var theCuts = []aCut{
	{"before its first word", []string{lab.CutOperator}, 0},
	{"in the middle", []string{lab.CutOperator}, 300 * time.Millisecond},
	{"from everybody", []string{lab.CutAll}, 100 * time.Millisecond},
}

// cutOff cuts the network to the host of a step while the step runs: of one that is
// drawn by a printed seed, or in make torture of every one in every way. What was
// journalled of a whole recovery must be known; see killed.
func (r *stories) cutOff(name string, lost ...string) {
	steps := r.steps[rungOf(lost)]
	if len(steps) == 0 {
		r.t.Run(name+": find the steps", func(t *testing.T) {
			r.begin(t, func(s *swarm) {
				before := s.lostAfterBackup(lost)
				s.recovers(rungOf(lost), "")
				s.recovered(before, "w1")
				steps = s.intents()
			})
		})
		r.steps[rungOf(lost)] = steps
	}
	type point struct {
		intent
		aCut
	}
	var points []point
	for _, step := range steps {
		for _, c := range theCuts {
			points = append(points, point{step, c})
		}
	}
	if !torture() && len(points) > 0 {
		points = []point{points[r.seeded("the cut").IntN(len(points))]}
	}
	for _, p := range points {
		r.tell(fmt.Sprintf("%s, %s of %s, write %d, %s", name, p.Kind, p.Node, p.write, p.name), func(s *swarm) {
			s.recoveryCutOff(p.write, p.aCut, lost)
		})
	}
}

// seeded is a source whose seed is printed.
func (r *stories) seeded(what string) *rand.Rand {
	seed := seedOfRun()
	r.t.Logf("%s is drawn with RQ_SEED=%d", what, seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// intent is a journal's word that a step is about to act on a host.
type intent struct {
	Type, Kind, Node string
	write            int
}

// intents are those of the recovery's journal, which is the longest, without the
// backup that follows it.
func (s *swarm) intents() []intent {
	s.t.Helper()
	var list []intent
	for i, line := range bytes.Split(s.longestJournal(), []byte("\n")) {
		var r intent
		if json.Unmarshal(line, &r) == nil && r.Type == "intent" && r.Node != "" && r.Kind != "verify" {
			r.write = i + 1
			list = append(list, r)
		}
	}
	return list
}

func (s *swarm) longestJournal() []byte {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.journal, "requeen", s.lab.Name(), "*", "journal"))
	must(s.t, err)
	var longest []byte
	for _, f := range files {
		text, err := os.ReadFile(f)
		must(s.t, err)
		if bytes.Count(text, []byte("\n")) > bytes.Count(longest, []byte("\n")) {
			longest = text
		}
	}
	return longest
}

// slowSync makes what a step does on a disk last longer than the cut waits.
const slowSync = `mkdir -p /usr/local/sbin
	printf '#!/bin/sh\nsleep 0.3\nexec /bin/sync "$@"\n' >/usr/local/sbin/sync
	chmod 755 /usr/local/sbin/sync`

func (s *swarm) recoveryCutOff(write int, c aCut, lost []string) {
	before := s.lostAfterBackup(lost)
	p := s.plans(rungOf(lost), "")
	node, r := s.appliesCutOff(write, c, p)
	s.t.Logf("apply, cut from %s: exit %d\n%s", node, r.status, r.both())
	must(s.t, s.lab.Heal(s.ctx, node))
	if r.status != 0 { // else it outlasted the cut
		s.does("apply", "-digest", p.Digest, "recovery.plan")
	}
	keep := []string{"w1"}
	for _, m := range managerNames {
		if rungOf(lost) != "restore" && !slices.Contains(lost, m) {
			keep = append(keep, m)
		}
	}
	s.recovered(before, keep...)
	s.nextPlanAfterPoint(write)
}

// appliesCutOff applies, cuts the host of the step whose intent is a journal
// write, and returns when apply has ended. A cut that apply waits out, in the
// hope that the host comes back, is healed after half a minute.
func (s *swarm) appliesCutOff(write int, c aCut, p recoveryPlan) (string, result) {
	s.t.Helper()
	file := filepath.Join(s.dir, "paused")
	cmd := s.command([]string{fmt.Sprintf("%s=%d:%s", pauseVariable, write, file)}, "apply", "-digest", p.Digest, "recovery.plan")
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	must(s.t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	s.eventually(5*time.Minute, "apply to come to the step", func() (bool, error) {
		if len(ended) > 0 {
			return false, fmt.Errorf("apply ended before its write %d:\n%s%s", write, out.String(), errOut.String())
		}
		_, err := os.Stat(file)
		return err == nil, nil
	})
	lines := bytes.Split(s.longestJournal(), []byte("\n"))
	var step intent
	must(s.t, json.Unmarshal(lines[write-1], &step))
	if c.delay == 0 {
		must(s.t, s.lab.Cut(s.ctx, step.Node, c.from...))
		must(s.t, os.Remove(file))
	} else {
		s.on(step.Node, slowSync)
		must(s.t, os.Remove(file))
		time.Sleep(c.delay) // the fault's time, not a wait for anything
		must(s.t, s.lab.Cut(s.ctx, step.Node, c.from...))
		s.on(step.Node, "rm /usr/local/sbin/sync")
	}
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		must(s.t, s.lab.Heal(s.ctx, step.Node))
		<-ended
	}
	return step.Node, result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}
