//go:build lab

package scenario

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

// killVariable makes the program under test kill itself with SIGKILL after
// that many journal writes; see apply/testonly_lab.go.
const killVariable = "RQ_TESTONLY_KILL_AFTER_JOURNAL_WRITE"

// journalWrites is how many writes a whole run makes.
func (s *swarm) journalWrites() int {
	s.t.Helper()
	s.does("apply", "-auto-approve")
	files, err := filepath.Glob(filepath.Join(s.journal, "requeen", s.lab.Name(), "*", "journal"))
	must(s.t, err)
	if len(files) != 1 {
		s.t.Fatalf("want one journal, have %v", files)
	}
	text, err := os.ReadFile(files[0])
	must(s.t, err)
	s.allBack()
	return bytes.Count(text, []byte("\n"))
}

// killed kills apply after journal writes, a sample of them by a printed seed,
// or all of them in make torture, and applies again.
func (s *swarm) killed(t *testing.T, sample int) {
	var points []int
	t.Run("count journal writes", func(t *testing.T) {
		for n := range s.fresh(t).journalWrites() {
			points = append(points, n+1)
		}
	})
	if !torture() {
		seed := uint64(time.Now().UnixNano())
		if text := os.Getenv("RQ_SEED"); text != "" {
			seed, _ = strconv.ParseUint(text, 10, 64)
		}
		t.Logf("kill points are drawn with RQ_SEED=%d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		r.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
		points = points[:min(sample, len(points))]
		slices.Sort(points)
	}
	for _, n := range points {
		reported(t, fmt.Sprintf("killed after journal write %d", n), func(t *testing.T) { s.fresh(t).killedAfter(n) })
	}
}

func (s *swarm) killedAfter(n int) {
	s.t.Helper()
	s.does("plan", "-out", "backup.plan")
	r := s.runWith([]string{fmt.Sprintf("%s=%d", killVariable, n)}, "apply", "backup.plan")
	if r.status != -1 {
		s.t.Fatalf("apply was not killed: exit %d", r.status)
	}
	s.plaintextGoes()
	s.allBack() // without help
	if n%2 == 0 {
		s.does("apply", "-auto-approve")
	} else {
		s.does("apply", "backup.plan")
	}
	s.allBack()
	s.oneVerifiedBackup()
	s.nothingLeft()
	s.nothingToDo()
}

// plaintextGoes says that the private copies of killed runs go by themselves. Those of
// another requeen that is at work on this machine are its own.
func (s *swarm) plaintextGoes() {
	s.t.Helper()
	private, err := filepath.Glob("/dev/shm/requeen-*")
	must(s.t, err)
	more, err := filepath.Glob("/run/user/*/requeen-*")
	must(s.t, err)
	private = append(private, more...)
	s.eventually(10*time.Second, fmt.Sprintf("plaintext to go: %v", private), func() (bool, error) {
		return !slices.ContainsFunc(private, ownerless), nil
	})
}

// ownerless tells whether a private directory is there and no living process holds the
// lock on its owner file.
func ownerless(dir string) bool {
	f, err := os.Open(filepath.Join(dir, "owner"))
	if err != nil {
		_, err := os.Stat(dir)
		return err == nil
	}
	defer f.Close()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// cutInTheMiddle takes the operator's network to the manager away while its
// engine is stopped: the host goes on by itself.
func (s *swarm) cutInTheMiddle() {
	s.t.Helper()
	s.does("plan", "-out", "backup.plan")
	node := s.plannedNode("backup.plan")
	var out bytes.Buffer
	cmd := s.command(nil, "apply", "backup.plan")
	cmd.Stdout, cmd.Stderr = &out, &out
	must(s.t, cmd.Start())
	s.eventually(time.Minute, "the engine to stop", func() (bool, error) {
		text, err := s.lab.Run(s.ctx, node, "cat /var/lib/requeen/runs/*/status 2>/dev/null || true")
		return strings.Contains(text, "stopped"), err
	})
	must(s.t, s.lab.Cut(s.ctx, node, lab.CutOperator))
	s.allBack() // without help: the operator can't reach it
	must(s.t, s.lab.Heal(s.ctx, node))
	err := cmd.Wait()
	s.t.Logf("the run that was cut ended with %v:\n%s", err, out.String())
	s.does("apply", "-auto-approve")
	s.oneVerifiedBackup()
	s.nothingLeft()
	s.nothingToDo()
}

// plannedNode is the manager that a plan stops.
func (s *swarm) plannedNode(file string) string {
	s.t.Helper()
	p := s.planDocument(file)
	for _, step := range p.Steps {
		if step.Kind == "stop" {
			return step.Node
		}
	}
	s.t.Fatalf("the plan stops no manager: %+v", p)
	return ""
}
