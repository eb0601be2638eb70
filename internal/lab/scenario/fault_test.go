//go:build lab

package scenario

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

type planDocument struct {
	Steps []struct {
		Kind, Node string
	}
	Digest string
}

func (s *swarm) planDocument(file string) planDocument {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, file))
	must(s.t, err)
	var p planDocument
	must(s.t, json.Unmarshal(data, &p))
	return p
}

func TestPlainOn28(t *testing.T) {
	s := newSwarm(t, lab.Options{Name: "p28", Suite: "sid", Managers: 3, Workers: 1})
	t.Run("backup", func(t *testing.T) { s.fresh(t).backsUp() })
	t.Run("the real ports keep the fake's contract", func(t *testing.T) { s.fresh(t).keepsTheContract(t) })
	s.killed(t, 3)
	t.Run("written down by init", func(t *testing.T) { testAdopt(t, s) })
	t.Run("status", func(t *testing.T) { testStatus(t, s) })
	t.Run("cut in the middle", func(t *testing.T) { s.fresh(t).cutInTheMiddle() })
	t.Run("two runs at once", func(t *testing.T) { s.fresh(t).twoRunsAtOnce() })
	t.Run("the repository's disk is full", func(t *testing.T) { s.fresh(t).repositoryFull() })
	t.Run("the identity is wrong", func(t *testing.T) { s.fresh(t).wrongIdentity() })
	t.Run("a plan file was altered", func(t *testing.T) { s.fresh(t).alteredPlan() })
	t.Run("a host key changed", func(t *testing.T) { s.fresh(t).hostKeyChanged() })
	t.Run("two nodes are one machine", func(t *testing.T) { s.fresh(t).oneMachineTwice() })
	t.Run("interrupted", func(t *testing.T) { s.fresh(t).interrupted() })
	t.Run("the quorum would be lost", func(t *testing.T) { s.fresh(t).quorumWouldBeLost() })
	t.Run("systemd's start limit is used up", func(t *testing.T) { s.fresh(t).startLimit() })
	t.Run("the unit on the host is killed", func(t *testing.T) { s.fresh(t).unitKilled() })
	t.Run("on the manager itself", func(t *testing.T) { s.fresh(t).locally() })
	t.Run("with sudo", func(t *testing.T) { s.fresh(t).withSudo() })
	t.Run("the leader changed after the plan", func(t *testing.T) { s.fresh(t).leaderChanged() })
	t.Run("a host is gone after the plan", func(t *testing.T) { s.fresh(t).hostGone() })
}

// twoRunsAtOnce starts two runs in two processes: one backup, one clear refusal.
func (s *swarm) twoRunsAtOnce() {
	var wg sync.WaitGroup
	results := make([]result, 2)
	for i := range results {
		wg.Add(1)
		go func() {
			defer wg.Done()
			results[i] = s.run("apply", "-auto-approve", "-journal", filepath.Join(s.dir, "journal", string(rune('a'+i))))
		}()
	}
	wg.Wait()
	s.allBack()
	refused := 0
	for _, r := range results {
		if r.status == 1 && strings.Contains(r.both(), "RQ402") {
			refused++
		} else if r.status != 0 {
			s.t.Errorf("exit %d, and not because of the lock:\n%s", r.status, r.both())
		}
	}
	if refused == 2 {
		s.t.Error("both runs were refused")
	}
	s.oneVerifiedBackup()
	s.nothingLeft()
}

// repositoryFull has no room for the backup; with room again, the copy that
// was made is used, without a second stop.
func (s *swarm) repositoryFull() {
	must(s.t, os.MkdirAll(s.repository(), 0o700))
	mount := exec.Command("mount", "-t", "tmpfs", "-o", "size=24k", "requeen-test", s.repository())
	if out, err := mount.CombinedOutput(); err != nil {
		s.t.Fatalf("mount: %v\n%s", err, out)
	}
	mounted := true
	unmount := func() {
		if mounted {
			must(s.t, exec.Command("umount", s.repository()).Run())
			mounted = false
		}
	}
	s.t.Cleanup(unmount)
	s.refuses([]string{"no space left", "run requeen apply again"}, "apply", "-auto-approve")
	s.allBack()
	if manifests, _ := filepath.Glob(filepath.Join(s.repository(), "*", "*", "manifest.json")); len(manifests) != 0 {
		s.t.Errorf("a backup that was cut has a manifest: %v", manifests)
	}
	unmount()
	s.does("apply", "-auto-approve")
	s.oneVerifiedBackup()
	s.nothingLeft()
	s.nothingToDo()
}

func (s *swarm) wrongIdentity() {
	s.backsUp()
	other := filepath.Join(s.dir, "other.txt")
	if out, err := exec.Command("age-keygen", "-o", other).CombinedOutput(); err != nil {
		s.t.Fatalf("age-keygen: %v\n%s", err, out)
	}
	s.edit(filepath.Join(s.lab.Dir(), "identity.txt"), other)
	s.refuses([]string{other}, "backup", "verify", "latest")
	s.edit(other, filepath.Join(s.dir, "missing.txt"))
	s.refuses([]string{"missing.txt"}, "backup", "verify", "latest")
}

func (s *swarm) alteredPlan() {
	s.does("plan", "-out", "backup.plan")
	file := filepath.Join(s.dir, "backup.plan")
	data, err := os.ReadFile(file)
	must(s.t, err)
	digest := s.planDocument("backup.plan").Digest
	must(s.t, os.WriteFile(file, []byte(strings.Replace(string(data), `"kind": "stop"`, `"kind": "start"`, 1)), 0o600))
	s.refuses([]string{"RQ404"}, "apply", "backup.plan")
	s.refuses([]string{"RQ404"}, "show", "backup.plan")
	must(s.t, os.WriteFile(file, data, 0o600))
	s.refuses([]string{"digest"}, "apply", "-digest", "sha256:"+strings.Repeat("0", 64), "backup.plan")
	s.edit("max_age    = \"24h\"", "max_age    = \"23h\"")
	s.refuses([]string{"RQ409"}, "apply", "-digest", digest, "backup.plan")
	s.edit("max_age    = \"23h\"", "max_age    = \"24h\"")
	s.does("apply", "-digest", digest, "backup.plan")
	s.oneVerifiedBackup()
	// Done is done: the same plan again stops nobody and makes no second one.
	s.does("apply", "backup.plan")
	s.oneVerifiedBackup()
	s.nothingLeft()
}

// hostKeyChanged gives the planned manager another key on record.
func (s *swarm) hostKeyChanged() {
	s.does("plan", "-out", "backup.plan")
	node := s.plannedNode("backup.plan")
	n, err := s.lab.Node(node)
	must(s.t, err)
	known := filepath.Join(s.lab.Dir(), "ssh", "known_hosts")
	data, err := os.ReadFile(known)
	must(s.t, err)
	config, err := os.ReadFile(s.lab.SSHConfig())
	must(s.t, err)
	var other strings.Builder
	var key string
	for _, line := range strings.Split(string(data), "\n") {
		if !strings.Contains(line, n.Address+" ") && key == "" && strings.Contains(line, "ssh-ed25519") {
			key = line[strings.Index(line, "ssh-ed25519"):]
		}
	}
	for _, line := range strings.Split(string(data), "\n") {
		if strings.Contains(line, n.Address+" ") {
			line = line[:strings.Index(line, "ssh-ed25519")] + key
		}
		other.WriteString(line + "\n")
	}
	mine := filepath.Join(s.dir, "known_hosts")
	must(s.t, os.WriteFile(mine, []byte(other.String()), 0o600))
	must(s.t, os.WriteFile(filepath.Join(s.dir, "ssh_config"), []byte(strings.ReplaceAll(string(config), known, mine)), 0o600))
	s.env = append(s.env, "RQ_SSH_CONFIG="+filepath.Join(s.dir, "ssh_config"))
	s.refuses([]string{node, "RQ403"}, "apply", "backup.plan")
	r := s.run("plan")
	if !strings.Contains(r.both(), "RQ303") && !strings.Contains(r.both(), "host key") {
		s.t.Errorf("plan does not tell that the host key of %s changed:\n%s", node, r.both())
	}
	s.allBack()
	s.nothingLeft()
}

func (s *swarm) oneMachineTwice() {
	m2, err := s.lab.Node("m2")
	must(s.t, err)
	m3, err := s.lab.Node("m3")
	must(s.t, err)
	s.edit(`ssh = "root@`+m3.Address+`"`, `ssh = "m2"`)
	_ = m2
	s.refuses([]string{"RQ208", "m2", "m3"}, "plan")
	s.refuses([]string{"RQ208"}, "apply", "-auto-approve")
	s.nothingLeft()
}

// interrupted presses Ctrl-C once while the engine is stopped.
func (s *swarm) interrupted() {
	s.does("plan", "-out", "backup.plan")
	node := s.plannedNode("backup.plan")
	cmd := s.command(nil, "apply", "backup.plan")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	must(s.t, cmd.Start())
	s.eventually(time.Minute, "the engine to stop", func() (bool, error) {
		text, err := s.lab.Run(s.ctx, node, "cat /var/lib/requeen/runs/*/status 2>/dev/null || true")
		return strings.Contains(text, "stopped"), err
	})
	must(s.t, cmd.Process.Signal(os.Interrupt))
	_ = cmd.Wait()
	s.t.Logf("interrupted: exit %d\n%s", cmd.ProcessState.ExitCode(), out.String())
	if cmd.ProcessState.ExitCode() != 130 {
		s.t.Errorf("exit %d, want 130", cmd.ProcessState.ExitCode())
	}
	s.allBack()
	s.does("apply", "-auto-approve")
	s.oneVerifiedBackup()
	s.nothingLeft()
	s.nothingToDo()
}

// quorumWouldBeLost has one manager down already.
func (s *swarm) quorumWouldBeLost() {
	s.does("plan", "-out", "backup.plan")
	down := "m3"
	if s.leader() == "m3" {
		down = "m2"
	}
	s.on(down, "systemctl stop docker.socket docker.service; systemctl mask docker.service") // else it would be started
	s.eventually(time.Minute, down+" to be seen as unreachable", func() (bool, error) {
		list, err := s.managers(s.leader())
		return list[down] == "unreachable", err
	})
	s.refuses([]string{"RQ201"}, "plan")
	s.refuses([]string{"RQ403", down}, "apply", "backup.plan")
	s.on(down, "systemctl unmask docker.service; systemctl reset-failed docker.service; systemctl start docker.service docker.socket")
	s.allBack()
	s.nothingLeft()
}

// withSudo connects as a user who is not root.
func (s *swarm) withSudo() {
	for _, name := range []string{"m1", "m2", "m3"} {
		n, err := s.lab.Node(name)
		must(s.t, err)
		s.edit(`    ssh = "root@`+n.Address+`"`, `    ssh    = "ops@`+n.Address+"\"\n    become = \"sudo\"")
	}
	s.backsUp()
}

// leaderChanged makes the planned follower the leader before apply.
func (s *swarm) leaderChanged() {
	s.does("plan", "-out", "backup.plan")
	node := s.plannedNode("backup.plan")
	must(s.t, s.lab.Lead(s.ctx, node))
	s.allBack()
	s.refuses([]string{"RQ403", node + " leads now"}, "apply", "backup.plan")
	s.nothingLeft()
	s.backsUp()
}

// hostGone takes the planned host's power before apply.
func (s *swarm) hostGone() {
	s.does("plan", "-out", "backup.plan")
	node := s.plannedNode("backup.plan")
	must(s.t, s.lab.Kill(s.ctx, node))
	s.refuses([]string{"RQ403", node}, "apply", "backup.plan")
	must(s.t, s.lab.StartNode(s.ctx, node))
	s.allBack()
	s.nothingLeft()
	s.backsUp()
}
