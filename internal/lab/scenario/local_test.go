//go:build lab

package scenario

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// locally runs requeen on a follower itself, without ssh: it stops the engine
// of the machine that it runs on.
func (s *swarm) locally() {
	node := "m2"
	if s.leader() == node {
		node = "m3"
	}
	// The node sees this directory as /var/lib/docker/here.
	here := s.lab.Disk(node, "here")
	must(s.t, os.MkdirAll(here, 0o700))
	defer os.RemoveAll(here)
	if out, err := exec.Command("cp", program, filepath.Join(here, "requeen")).CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	identity, err := os.ReadFile(filepath.Join(s.lab.Dir(), "identity.txt"))
	must(s.t, err)
	must(s.t, os.WriteFile(filepath.Join(here, "identity.txt"), identity, 0o600))
	must(s.t, os.WriteFile(filepath.Join(here, "lab.rq.hcl"), []byte(s.localConfig(node)), 0o600))
	run := "cd /var/lib/docker/here && export XDG_STATE_HOME=/var/lib/docker/here/state && ./requeen "
	s.on(node, run+"plan -out backup.plan")
	for i, line := range strings.Split(s.on(node, run+"apply -json backup.plan"), "\n") {
		var event struct{ Type string }
		if err := json.Unmarshal([]byte(line), &event); err != nil || (i == 0) != (event.Type == "version") {
			s.t.Errorf("line %d of apply -json is %q (%v)", i+1, line, err)
		}
	}
	if out := s.on(node, run+"backup verify latest"); !strings.Contains(out, "verified: raft") {
		s.t.Errorf("backup verify says:\n%s", out)
	}
	if out := s.on(node, run+"plan -detailed-exitcode"); !strings.Contains(out, "Nothing to do") {
		s.t.Errorf("the next plan is not empty:\n%s", out)
	}
	s.allBack()
	s.nothingLeft()
}

// localConfig declares one node as the machine itself, and no way to the rest.
func (s *swarm) localConfig(node string) string {
	text, err := os.ReadFile(filepath.Join(s.dir, "lab.rq.hcl"))
	must(s.t, err)
	config := string(text)
	nodes, err := s.lab.Nodes()
	must(s.t, err)
	for _, n := range nodes {
		way := "none = true"
		if n.Name == node {
			way = "local = true"
		}
		config = strings.ReplaceAll(config, fmt.Sprintf("ssh = %q", "root@"+n.Address), way)
	}
	config = strings.ReplaceAll(config, s.repository(), "/var/lib/docker/here/repository")
	return strings.ReplaceAll(config, filepath.Join(s.lab.Dir(), "identity.txt"), "identity.txt")
}
