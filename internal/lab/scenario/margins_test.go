//go:build lab

package scenario

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// margins has the program ask the engines after every step of an apply, and gives
// what compares that with what the plan's simulation said of the step: how many
// managers there are, and how many are up. Any difference is a failure.
func (s *swarm) margins(args []string) (compare func()) {
	if len(args) == 0 || args[0] != "apply" {
		return func() {}
	}
	file := filepath.Join(s.t.TempDir(), "margins")
	before := s.env
	s.env = append(append([]string{}, s.env...), "RQ_TESTONLY_MARGINS="+file)
	return func() {
		s.t.Helper()
		s.env = before
		data, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			return // no step was done
		}
		must(s.t, err)
		steps := 0
		for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); steps++ {
			var line struct {
				Step                int
				Kind, Node, Account string
				Said, Seen          struct{ Managers, Up, Quorum, Spare int }
				Agrees              bool
			}
			must(s.t, json.Unmarshal(lines.Bytes(), &line))
			if !line.Agrees {
				s.t.Errorf("after step %d, %s %s, the plan says %+v, and the engines %+v (%s)", line.Step, line.Kind, line.Node, line.Said, line.Seen, strings.TrimSpace(line.Account))
			}
		}
		s.t.Logf("%d steps' margins were compared with what the engines say", steps)
	}
}
