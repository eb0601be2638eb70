//go:build lab

package scenario

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/lab"
)

// TestDemo runs what make demo runs.
func TestDemo(t *testing.T) {
	budget(t)
	out, err := exec.Command("../demo.sh", program).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"stop     m", "verified (raft)", "verified: raft", "is due", "Nothing needs a hand", "Nothing to do", "out of m1", "m1 leads at", "m1 sees m3 as a reachable manager", "nothing of the lab is left"} {
		if !strings.Contains(string(out), words) {
			t.Errorf("the demo does not say %q", words)
		}
	}
	if _, err := lab.Open("demo"); err == nil {
		t.Error("the demo left its lab")
	}
}

// firstExample takes the README's first configuration, with this swarm's
// addresses, and does with it what the README says.
func (s *swarm) firstExample() {
	text, err := os.ReadFile("../../../examples/first/prod.rq.hcl")
	must(s.t, err)
	config := string(text)
	replace := func(old, new string) {
		if !strings.Contains(config, old) {
			s.t.Fatalf("the first example has no %q", old)
		}
		config = strings.ReplaceAll(config, old, new)
	}
	for i, name := range []string{"m1", "m2", "m3"} {
		n, err := s.lab.Node(name)
		must(s.t, err)
		replace([]string{"10.0.0.11", "10.0.0.12", "10.0.0.13"}[i], n.Address)
	}
	identity := filepath.Join(s.dir, "requeen-identity.txt")
	made, err := exec.Command("age-keygen", "-o", identity).CombinedOutput()
	must(s.t, err)
	recipient := strings.TrimSpace(strings.TrimPrefix(string(made), "Public key: "))
	start := strings.Index(config, "age1")
	replace(config[start:start+strings.IndexByte(config[start:], '"')], recipient)
	replace("/root/requeen-identity.txt", identity)
	replace("/mnt/nas/swarm-backups", s.repository())
	s.configure(config)
	s.does("plan")
	s.does("apply", "-auto-approve")
	if r := s.does("backup", "list"); !strings.Contains(r.stdout, "verified (raft)") {
		s.t.Errorf("backup list says:\n%s", r.stdout)
	}
	if r := s.does("backup", "verify", "latest"); !strings.Contains(r.stdout, "verified: raft") {
		s.t.Errorf("backup verify says:\n%s", r.stdout)
	}
	s.nothingLeft()
	s.nothingToDo()
}
