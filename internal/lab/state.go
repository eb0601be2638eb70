package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

const (
	roleManager = "manager"
	roleWorker  = "worker"

	phaseMaking   = "making"   // Up has begun and not come to its end
	phaseReady    = "ready"    // Up has come to its end once
	phaseRemoving = "removing" // Down has begun
)

// Node is one machine of a lab.
type Node struct {
	Name    string   `json:"name"`
	Role    string   `json:"role"` // "manager" or "worker"; what it was made for
	Address string   `json:"address"`
	Added   bool     `json:"added,omitempty"` // by AddNode: not part of the swarm that Up makes
	Cut     []string `json:"cut,omitempty"`   // see Lab.Cut
	Suite   string   `json:"suite,omitempty"` // whose engine it runs, where that is not the lab's
	// Broken is how Lab.Break broke it; "" when it is whole.
	Broken How `json:"broken,omitempty"`
}

// state is the lab's own record, written before what it names is made.
type state struct {
	Version       int    `json:"version"`
	Name          string `json:"name"`
	Dir           string `json:"dir"`
	Suite         string `json:"suite"`
	Managers      int    `json:"managers"`
	Workers       int    `json:"workers"`
	Autolock      bool   `json:"autolock"`
	DrainManagers bool   `json:"drain_managers"`
	Prefix        string `json:"prefix"` // first three bytes of the /24, "10.x.y"
	Layer         string `json:"layer"`  // base layer of the lab's suite; "" until it is built
	// Layers are the base layers of further suites, by their names.
	Layers map[string]string `json:"layers,omitempty"`
	Phase  string            `json:"phase"`
	Nodes  []Node            `json:"nodes"`
}

// newState is the record of a lab that does not exist yet.
func newState(o Options, prefix string) *state {
	st := &state{Version: 1, Name: o.Name, Dir: o.Dir, Suite: o.Suite, Managers: o.Managers, Workers: o.Workers,
		Autolock: o.Autolock, DrainManagers: o.DrainManagers, Prefix: prefix, Phase: phaseMaking}
	for i := 1; i <= o.Managers; i++ {
		st.addNode(roleManager)
	}
	for i := 1; i <= o.Workers; i++ {
		st.addNode(roleWorker)
	}
	for i := range st.Nodes {
		if suite := o.NodeSuites[st.Nodes[i].Name]; suite != o.Suite {
			st.Nodes[i].Suite = suite
		}
	}
	return st
}

// suite is whose engine a node runs.
func (s *state) suite(n Node) string {
	if n.Suite != "" {
		return n.Suite
	}
	return s.Suite
}

// layer is the base layer of a node's root.
func (s *state) layer(n Node) string {
	if n.Suite != "" {
		return s.Layers[n.Suite]
	}
	return s.Layer
}

func (s *state) names() []string {
	var names []string
	for _, n := range s.Nodes {
		names = append(names, n.Name)
	}
	return names
}

// addNode appends the next free node of a role.
func (s *state) addNode(role string) Node {
	letter, base, i := "m", 10, 1
	if role == roleWorker {
		letter, base = "w", 100
	}
	for s.find(fmt.Sprintf("%s%d", letter, i)) != nil {
		i++
	}
	n := Node{Name: fmt.Sprintf("%s%d", letter, i), Role: role, Address: fmt.Sprintf("%s.%d", s.Prefix, base+i)}
	s.Nodes = append(s.Nodes, n)
	return n
}

func (s *state) find(name string) *Node {
	i := slices.IndexFunc(s.Nodes, func(n Node) bool { return n.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Nodes[i]
}

// swarmNodes are those that Up joins.
func (s *state) swarmNodes() []Node {
	return slices.DeleteFunc(slices.Clone(s.Nodes), func(n Node) bool { return n.Added })
}

// same says how a lab that exists differs from what is asked for.
func (s *state) same(o Options) error {
	want := newState(o, s.Prefix)
	if s.Managers == want.Managers && s.Workers == want.Workers && s.Suite == want.Suite &&
		s.Autolock == want.Autolock && s.DrainManagers == want.DrainManagers && s.Dir == want.Dir &&
		s.suites() == want.suites() {
		return nil
	}
	return fmt.Errorf("lab %q exists in %s and is another one: managers %d, workers %d, suite %s, autolock %t, drained managers %t; "+
		"repeat its options to finish it, or remove it first: requeen lab down -name %s",
		s.Name, s.Dir, s.Managers, s.Workers, s.suites(), s.Autolock, s.DrainManagers, s.Name)
}

// suites tells the engines in the form of -suite: sid,m2=bookworm.
func (s *state) suites() string {
	text := s.Suite
	for _, n := range s.swarmNodes() {
		if n.Suite != "" {
			text += "," + n.Name + "=" + n.Suite
		}
	}
	return text
}

func (s *state) path(elem ...string) string {
	return filepath.Join(append([]string{s.Dir}, elem...)...)
}

func (s *state) nodeDir(name string, elem ...string) string {
	return s.path(append([]string{"nodes", name}, elem...)...)
}

// save replaces the state file, on disk before it returns.
func (s *state) save() error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(s.path("state.json"), append(data, '\n'), 0o600)
}

// loadState reads the record in dir; fs.ErrNotExist when there is none.
func loadState(dir string) (*state, error) {
	file := filepath.Join(dir, "state.json")
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	st := &state{}
	if err := json.Unmarshal(data, st); err != nil {
		return nil, fmt.Errorf("the lab's record %s can't be read: %w", file, err)
	}
	if st.Version != 1 {
		return nil, fmt.Errorf("the lab's record %s has version %d; this program knows version 1: use the program that made the lab", file, st.Version)
	}
	return st, nil
}

// findDir is the directory of a lab: Root/NAME, which is a link for a lab
// that was made elsewhere.
func findDir(name string) (string, error) {
	if err := validateName(name); err != nil {
		return "", err
	}
	dir := filepath.Join(Root, name)
	if to, err := os.Readlink(dir); err == nil {
		return to, nil
	}
	return dir, nil
}

// allStates are the records of all labs of this machine that can be read.
func allStates() ([]*state, error) {
	entries, err := os.ReadDir(Root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []*state
	for _, e := range entries {
		if validateName(e.Name()) != nil {
			continue
		}
		dir, err := findDir(e.Name())
		if err != nil {
			return nil, err
		}
		st, err := loadState(dir)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, st)
	}
	return all, nil
}
