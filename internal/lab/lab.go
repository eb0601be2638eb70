package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// What a node can be cut off from, besides the names of other nodes.
const (
	CutAll      = "all"      // everything: its cable is out
	CutOperator = "operator" // the machine that the lab runs on, and so ssh
)

// Lab is a lab that exists. Its methods can be used from several goroutines
// and processes.
type Lab struct {
	name string
	dir  string
}

// Open finds a lab that was made before, by its name.
func Open(name string) (*Lab, error) {
	dir, err := findDir(name)
	if err != nil {
		return nil, err
	}
	if _, err := loadState(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no lab %q; make it: requeen lab up -name %s", name, name)
	} else if err != nil {
		return nil, err
	}
	return &Lab{name: name, dir: dir}, nil
}

// Name is the lab's name, which is also its cluster's.
func (l *Lab) Name() string { return l.name }

// Dir is the directory with the lab's configuration, keys and disks.
func (l *Lab) Dir() string { return l.dir }

// SSHConfig is the file for RQ_SSH_CONFIG and for ssh -F.
func (l *Lab) SSHConfig() string { return filepath.Join(l.dir, "ssh", "config") }

// Operator is the address of this machine in the lab's network.
func (l *Lab) Operator() (string, error) {
	st, err := loadState(l.dir)
	if err != nil {
		return "", err
	}
	return st.operatorAddress(), nil
}

// Nodes are all nodes, those that AddNode made included.
func (l *Lab) Nodes() ([]Node, error) {
	st, err := loadState(l.dir)
	if err != nil {
		return nil, err
	}
	return st.Nodes, nil
}

// Node finds a node by its name.
func (l *Lab) Node(name string) (Node, error) {
	_, n, err := l.node(name)
	return n, err
}

func (l *Lab) node(name string) (*state, Node, error) {
	st, err := loadState(l.dir)
	if err != nil {
		return nil, Node{}, err
	}
	n := st.find(name)
	if n == nil {
		var names []string
		for _, n := range st.Nodes {
			names = append(names, n.Name)
		}
		return nil, Node{}, fmt.Errorf("lab %s has no node %q; it has %s", l.name, name, strings.Join(names, ", "))
	}
	return st, *n, nil
}

// Run executes a shell script as root on a node and returns what it printed.
// It enters the node's namespaces: a node that is cut off can be run on too.
func (l *Lab) Run(ctx context.Context, node, script string) (string, error) {
	st, _, err := l.node(node)
	if err != nil {
		return "", err
	}
	return st.exec(ctx, node, script)
}

// Running says whether a node has processes.
func (l *Lab) Running(node string) (bool, error) {
	st, _, err := l.node(node)
	if err != nil {
		return false, err
	}
	pid, err := st.leader(node)
	return pid != 0, err
}

// Socket is the path on this machine of a node's engine socket. It changes
// with every boot of the node.
func (l *Lab) Socket(node string) (string, error) {
	st, _, err := l.node(node)
	if err != nil {
		return "", err
	}
	return st.socket(node)
}

// Disk is the path on this machine of a node's directory, of /var/lib/docker
// and what is below. It is there also while the node does not run.
func (l *Lab) Disk(node string, elem ...string) string {
	return filepath.Join(append([]string{l.dir, "nodes", node, "docker"}, elem...)...)
}

// UnlockKey is the key of an auto-locked swarm as Up stored it.
func (l *Lab) UnlockKey() (string, error) {
	st, err := loadState(l.dir)
	if err != nil {
		return "", err
	}
	return st.unlockKey()
}

// Unlock gives a locked node the key that Up stored.
func (l *Lab) Unlock(ctx context.Context, node string) error {
	st, _, err := l.node(node)
	if err != nil {
		return err
	}
	return st.unlock(ctx, node)
}

// locked changes the lab's record while no other command does.
func (l *Lab) locked(ctx context.Context, change func(*state) error) error {
	unlock, err := lockFile(ctx, filepath.Join(l.dir, "lock"), "the lab's lock", func(string) {})
	if err != nil {
		return err
	}
	defer unlock()
	st, err := loadState(l.dir)
	if err != nil {
		return err
	}
	return change(st)
}

// Kill ends a node at once, as a power cut would. Its disks stay.
func (l *Lab) Kill(ctx context.Context, node string) error {
	st, _, err := l.node(node)
	if err != nil {
		return err
	}
	return st.kill(ctx, node)
}

// StartNode boots a node that was killed, with the disks and the cuts that it
// had, and waits until its sshd and its engine answer.
func (l *Lab) StartNode(ctx context.Context, node string) error {
	st, n, err := l.node(node)
	if err != nil {
		return err
	}
	return st.boot(ctx, n)
}

// Cut takes a node off the network, towards CutAll, CutOperator or the nodes
// named; without any it is CutAll. It replaces an earlier cut, and lasts
// over boots until Heal.
func (l *Lab) Cut(ctx context.Context, node string, from ...string) error {
	if len(from) == 0 {
		from = []string{CutAll}
	}
	return l.cut(ctx, node, from)
}

func (l *Lab) cut(ctx context.Context, node string, from []string) error {
	if _, _, err := l.node(node); err != nil {
		return err
	}
	for _, f := range from {
		if f == CutAll || f == CutOperator {
			continue
		}
		if _, _, err := l.node(f); err != nil {
			return err
		}
	}
	return l.locked(ctx, func(st *state) error {
		n := st.find(node)
		n.Cut = from
		if err := st.save(); err != nil {
			return err
		}
		pid, err := st.leader(node)
		if err != nil || pid == 0 {
			return err // it takes effect at the next boot
		}
		return st.applyCut(ctx, *n)
	})
}

// WaitServices waits until every service has the tasks that it wants, as a
// manager sees it.
func (l *Lab) WaitServices(ctx context.Context, manager string) error {
	st, _, err := l.node(manager)
	if err != nil {
		return err
	}
	var short []string
	err = WaitFor(ctx, joinTimeout, "the services' tasks to run", func() (bool, error) {
		var list []struct {
			Spec          struct{ Name string }
			ServiceStatus struct{ RunningTasks, DesiredTasks int }
		}
		if err := st.engine(manager).call(ctx, http.MethodGet, "/services?status=true", nil, &list); err != nil {
			short = []string{err.Error()}
			return false, nil
		}
		short = nil
		for _, s := range list {
			if s.ServiceStatus.DesiredTasks == 0 || s.ServiceStatus.RunningTasks < s.ServiceStatus.DesiredTasks {
				short = append(short, fmt.Sprintf("%s %d/%d", s.Spec.Name, s.ServiceStatus.RunningTasks, s.ServiceStatus.DesiredTasks))
			}
		}
		return len(short) == 0, nil
	})
	if err != nil {
		return fmt.Errorf("%w; not yet: %s", err, strings.Join(short, ", "))
	}
	return nil
}

// Down removes the lab. See the function Down.
func (l *Lab) Down(ctx context.Context) error {
	_, err := Down(ctx, l.name, nil)
	return err
}

// Command is the ssh command line for a node, with what to run there.
func (l *Lab) Command(node string, args ...string) ([]string, error) {
	if _, err := os.Stat(l.SSHConfig()); err != nil {
		return nil, fmt.Errorf("lab %s is not complete: %w; finish it: requeen lab up -name %s", l.name, err, l.name)
	}
	host := node
	if _, after, ok := strings.Cut(node, "@"); ok {
		host = after
	}
	if _, _, err := l.node(host); err != nil {
		return nil, err
	}
	return append([]string{"ssh", "-F", l.SSHConfig(), node}, args...), nil
}
