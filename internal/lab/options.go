package lab

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Root is the directory below which labs and their cached layers live.
const Root = "/var/lib/requeen-lab"

// DefaultName is the name of a lab for which none was given.
const DefaultName = "lab"

// Suites are the Debian suites whose engine a lab can run. The nodes are
// always bookworm; only docker.io and containerd come from the suite.
var Suites = []string{"bookworm", "trixie", "sid"}

const (
	maxManagers = 9
	maxWorkers  = 60
)

// Options say what kind of lab to make. The zero value of a field stands for
// its default.
type Options struct {
	Name          string // of the lab, and of the cluster in its configuration; default "lab"
	Dir           string // the lab's directory; default Root/Name
	Managers      int    // nodes m1, m2, …; default 3
	Workers       int    // nodes w1, w2, …; default 0
	Autolock      bool   // encrypt the managers' keys at rest; the unlock key is kept in the lab's directory
	DrainManagers bool   // give managers no tasks
	Suite         string // whose engine to run; default "bookworm"
	// NodeSuites gives nodes, by their names, another engine than Suite's: one
	// swarm of several versions, as it is while engines are upgraded.
	NodeSuites map[string]string
	Install    bool // install packages that the machine is missing
}

// Progress is told, in one line, what is being done. It may be called from
// several goroutines, but never at the same time.
type Progress func(line string)

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9]{0,7}$`)

// withDefaults fills what was left out.
func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if o.Dir == "" {
		o.Dir = filepath.Join(Root, o.Name)
	}
	if o.Managers == 0 {
		o.Managers = 3
	}
	if o.Suite == "" {
		o.Suite = Suites[0]
	}
	return o
}

// validate says what is wrong with options that have their defaults.
func (o Options) validate() error {
	if err := validateName(o.Name); err != nil {
		return err
	}
	if !filepath.IsAbs(o.Dir) {
		return fmt.Errorf("the lab's directory %q is not absolute; a lab outlives the command that made it: give its path from /", o.Dir)
	}
	if strings.ContainsAny(o.Dir, ":,\\\"' \n") {
		return fmt.Errorf("the lab's directory %q holds a blank, quote, colon, comma or backslash, which mount options can't carry; choose another", o.Dir)
	}
	if strings.HasPrefix(filepath.Clean(o.Dir)+"/", "/run/") || strings.HasPrefix(filepath.Clean(o.Dir)+"/", "/tmp/") {
		return fmt.Errorf("the lab's directory %q is where it would not last, or where a node has its own; choose one on a disk, such as %s", o.Dir, filepath.Join(Root, o.Name))
	}
	if o.Managers < 1 || o.Managers > maxManagers {
		return fmt.Errorf("a lab has 1 to %d managers, not %d", maxManagers, o.Managers)
	}
	if o.Workers < 0 || o.Workers > maxWorkers {
		return fmt.Errorf("a lab has 0 to %d workers, not %d", maxWorkers, o.Workers)
	}
	if err := validateSuite(o.Suite); err != nil {
		return err
	}
	st := newState(o, "")
	for _, name := range slices.Sorted(maps.Keys(o.NodeSuites)) {
		if err := validateSuite(o.NodeSuites[name]); err != nil {
			return err
		}
		if st.find(name) == nil {
			return fmt.Errorf("an engine is chosen for %q, which is no node of this lab: it has %s", name, strings.Join(st.names(), ", "))
		}
	}
	return nil
}

func validateSuite(suite string) error {
	if !slices.Contains(Suites, suite) {
		return fmt.Errorf("no engine is known for the suite %q; known are %s", suite, strings.Join(Suites, ", "))
	}
	return nil
}

// validateName keeps the interface rq-NAME within the kernel's 15 bytes, and
// a lab's directory apart from the cached layers beside it.
func validateName(name string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("%q can't name a lab: one to eight lower-case letters and digits are needed, a letter first, because it becomes part of an interface's name", name)
	}
	return nil
}
