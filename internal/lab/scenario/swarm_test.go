//go:build lab

package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/forgetest"
	"github.com/requeen/requeen/internal/lab"
	"github.com/requeen/requeen/internal/repository"
)

// program is the requeen under test, built once with the test hooks of the tag
// lab.
var program string

func TestMain(m *testing.M) {
	repository.RunJanitorIfAsked()
	if name := filepath.Base(os.Args[0]); slices.Contains(forgetest.Programs, name) {
		os.Exit(forgetest.Main(name, os.Args[1:]))
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "requeen-scenario")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "requeen")
		build := exec.Command("go", "build", "-tags", "lab", "-ldflags", "-s -w", "-o", program, "github.com/requeen/requeen/cmd/requeen")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building requeen: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// swarm is a lab with a configuration directory of the test's own.
type swarm struct {
	t        *testing.T
	ctx      context.Context
	lab      *lab.Lab
	members  []string // the managers
	dir      string   // the configuration
	journal  string
	autolock bool
	altered  bool // a node is not as it was, and only Reset puts it back
	env      []string
}

// newSwarm makes a swarm and takes it away at the end of the test.
func newSwarm(t *testing.T, o lab.Options) *swarm {
	t.Helper()
	budget(t)
	limit := 25 * time.Minute
	if torture() {
		limit = 6 * time.Hour
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	o.Install = true
	o.Name += os.Getenv("RQ_LAB_SUFFIX") // so that two runs of one test can go side by side
	begin := time.Now()
	l, err := lab.Up(ctx, o, func(line string) {})
	if err != nil {
		t.Fatalf("the lab can't be made: %v", err)
	}
	t.Logf("lab %s (%s, %d managers) is up after %.1f s", o.Name, o.Suite, o.Managers, time.Since(begin).Seconds())
	t.Cleanup(func() {
		if _, err := lab.Down(context.Background(), o.Name, func(string) {}); err != nil {
			t.Errorf("the lab is not wholly gone: %v", err)
		}
	})
	if err := l.WaitServices(ctx, "m1"); err != nil {
		t.Fatal(err)
	}
	s := &swarm{t: t, ctx: ctx, lab: l, autolock: o.Autolock}
	for i := range o.Managers {
		s.members = append(s.members, fmt.Sprintf("m%d", i+1))
	}
	s.fresh(t)
	return s
}

// fresh gives the swarm an empty repository, an empty journal and the lab's
// configuration, and makes t the test that it speaks to.
func (s *swarm) fresh(t *testing.T) *swarm {
	t.Helper()
	s.t = t
	s.dir = t.TempDir()
	s.journal = filepath.Join(s.dir, "journals")
	config, err := os.ReadFile(filepath.Join(s.lab.Dir(), "lab.rq.hcl"))
	must(t, err)
	text := strings.ReplaceAll(string(config), "file://"+filepath.Join(s.lab.Dir(), "repository"), "file://"+s.repository())
	s.configure(text)
	if s.autolock {
		key, err := s.lab.UnlockKey()
		must(t, err)
		must(t, os.WriteFile(filepath.Join(s.dir, "unlock-key"), []byte(key+"\n"), 0o600))
	}
	s.env = append(os.Environ(), "RQ_SSH_CONFIG="+s.lab.SSHConfig(), "XDG_STATE_HOME="+s.journal, "NO_COLOR=1")
	return s
}

func (s *swarm) repository() string { return filepath.Join(s.dir, "repository") }

// configure replaces the configuration.
func (s *swarm) configure(text string) {
	s.t.Helper()
	must(s.t, os.WriteFile(filepath.Join(s.dir, "lab.rq.hcl"), []byte(text), 0o600))
}

// edit changes the configuration; old must be there.
func (s *swarm) edit(old, new string) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "lab.rq.hcl"))
	must(s.t, err)
	if !strings.Contains(string(text), old) {
		s.t.Fatalf("the configuration has no %q:\n%s", old, text)
	}
	s.configure(strings.ReplaceAll(string(text), old, new))
}

// result is what a person saw of a command.
type result struct {
	status         int
	stdout, stderr string
}

func (r result) both() string { return r.stdout + r.stderr }

func (s *swarm) command(env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.ctx, program, args...)
	cmd.Dir = s.dir
	cmd.Env = append(append([]string{}, s.env...), env...)
	return cmd
}

// run runs requeen to its end.
func (s *swarm) run(args ...string) result { return s.runWith(nil, args...) }

func (s *swarm) runWith(env []string, args ...string) result {
	s.t.Helper()
	defer s.margins(args)()
	var out, errOut bytes.Buffer
	cmd := s.command(env, args...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	begin := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatalf("requeen %s: %v", strings.Join(args, " "), err)
	}
	r := result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
	s.t.Logf("$ requeen %s   # exit %d after %.1f s\n%s%s", strings.Join(args, " "), r.status, time.Since(begin).Seconds(), r.stdout, r.stderr)
	return r
}

// does runs requeen and expects success.
func (s *swarm) does(args ...string) result {
	s.t.Helper()
	r := s.run(args...)
	if r.status != 0 {
		s.t.Fatalf("requeen %s: exit %d\n%s", strings.Join(args, " "), r.status, r.both())
	}
	return r
}

// refuses runs requeen and expects exit status 1 and all of the words.
func (s *swarm) refuses(words []string, args ...string) result {
	s.t.Helper()
	r := s.run(args...)
	if r.status != 1 {
		s.t.Fatalf("requeen %s: exit %d, want 1\n%s", strings.Join(args, " "), r.status, r.both())
	}
	for _, w := range words {
		if !strings.Contains(strings.Join(strings.Fields(r.both()), " "), w) {
			s.t.Errorf("requeen %s does not say %q:\n%s", strings.Join(args, " "), w, r.both())
		}
	}
	return r
}

// on runs a script on a node.
func (s *swarm) on(node, script string) string {
	s.t.Helper()
	out, err := s.lab.Run(s.ctx, node, script)
	if err != nil {
		s.t.Fatalf("%s: %v", node, err)
	}
	return strings.TrimSpace(out)
}

// managers is the swarm's account of its managers, hostname to reachability;
// the leader's is "leader".
func (s *swarm) managers(from string) (map[string]string, error) {
	out, err := s.lab.Run(s.ctx, from, `timeout 10 docker node ls --filter role=manager --format '{{.Hostname}} {{.ManagerStatus}}'`)
	if err != nil {
		return nil, err
	}
	list := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		if f := strings.Fields(line); len(f) >= 2 {
			list[f[0]] = strings.ToLower(f[1])
		}
	}
	return list, nil
}

// leader is the leading manager's name.
func (s *swarm) leader() string {
	s.t.Helper()
	leader := ""
	s.eventually(2*time.Minute, "a leader", func() (bool, error) {
		for _, node := range s.members {
			list, err := s.managers(node)
			if err != nil {
				continue
			}
			for name, word := range list {
				if word == "leader" {
					leader = name
					return true, nil
				}
			}
		}
		return false, nil
	})
	return leader
}

// eventually waits for a condition.
func (s *swarm) eventually(timeout time.Duration, what string, cond func() (bool, error)) {
	s.t.Helper()
	if err := lab.WaitFor(s.ctx, timeout, what, cond); err != nil {
		s.t.Fatal(err)
	}
}

// allBack waits until every manager is reachable to the others.
func (s *swarm) allBack() {
	s.t.Helper()
	s.eventually(3*time.Minute, "all managers reachable", func() (bool, error) {
		up := 0
		for _, from := range s.members {
			list, err := s.managers(from)
			if err != nil || len(list) != len(s.members) {
				return false, nil
			}
			for _, word := range list {
				if word == "leader" || word == "reachable" {
					up++
				}
			}
		}
		return up == len(s.members)*len(s.members), nil
	})
}

// nothingLeft says that no copy, timer, unit, key or lock of a run is left.
func (s *swarm) nothingLeft() {
	s.t.Helper()
	for _, node := range s.members {
		out := s.on(node, `
			ls -A /var/lib/requeen/runs 2>/dev/null
			ls -A /run/requeen 2>/dev/null
			ls -A /run/systemd/transient 2>/dev/null | grep -e requeen-backup -e requeen-rescue
			systemctl list-units --all --no-legend --plain 'requeen-backup-*' 'requeen-rescue-*'
			true`)
		if out != "" {
			s.t.Errorf("%s: a run left:\n%s", node, out)
		}
	}
	// What is kept of a released lock is its number, so that numbers only rise. A write
	// that a kill cut short is swept once it is old.
	locks, _ := filepath.Glob(filepath.Join(s.repository(), "*", "lock", "*[^d]"))
	locks = slices.DeleteFunc(locks, func(name string) bool { return strings.HasSuffix(name, ".tmp") })
	if len(locks) != 0 {
		s.t.Errorf("a run left locks: %v", locks)
	}
	s.plaintextGoes()
}

// backup is what backup list -json says of a backup.
type backup struct {
	ID     string `json:"id"`
	Backup string `json:"backup"`
	Node   string `json:"node"`
	NodeID string `json:"node_id"`
	Kind   string `json:"kind"`
	Raft   struct {
		Term, Index uint64
		Objects     struct{ Services, Secrets, Configs, Networks, Nodes int }
	} `json:"raft"`
	Autolocked bool   `json:"autolocked"`
	Verified   string `json:"verified"`
	Problem    *struct{ Text string }
	Stored     []struct {
		Name string
		Size int64
	}
}

// backups are the backups in the repository, newest first.
func (s *swarm) backups() []backup {
	s.t.Helper()
	var repositories []struct{ Backups []backup }
	must(s.t, json.Unmarshal([]byte(s.does("backup", "list", "-json").stdout), &repositories))
	if len(repositories) != 1 {
		s.t.Fatalf("%d repositories are listed", len(repositories))
	}
	return repositories[0].Backups
}

// oneVerifiedBackup says that exactly one backup is there, verified and whole.
func (s *swarm) oneVerifiedBackup() backup {
	s.t.Helper()
	list := s.backups()
	if len(list) != 1 || list[0].Verified != "raft" || list[0].Problem != nil {
		s.t.Fatalf("want one verified backup, have %+v", list)
	}
	entries, err := os.ReadDir(filepath.Join(s.repository(), s.lab.Name()))
	must(s.t, err)
	for _, e := range entries {
		if e.Name() != list[0].ID && e.Name() != "lock" {
			s.t.Errorf("the repository holds %s beside the backup", e.Name())
		}
	}
	return list[0]
}

// nothingToDo says that the next plan is empty.
func (s *swarm) nothingToDo() {
	s.t.Helper()
	if r := s.run("plan", "-detailed-exitcode"); r.status != 0 {
		s.t.Errorf("the next plan is not empty: exit %d", r.status)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
