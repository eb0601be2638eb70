package lab

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
)

// AddOptions say what kind of node to add.
type AddOptions struct {
	Role  string // "manager" or "worker"
	Suite string // whose engine it runs; "" is the lab's
	Join  bool   // joins the swarm; else it is in none
}

// AddNode boots one more node, with a name and an address of its own, that is
// in no swarm. It is known to ssh, but not in the lab's configuration.
func (l *Lab) AddNode(ctx context.Context, role string) (Node, error) {
	return l.Add(ctx, AddOptions{Role: role})
}

// Add boots one more node, and has it join the swarm where that is asked for.
func (l *Lab) Add(ctx context.Context, o AddOptions) (Node, error) {
	if !slices.Contains([]string{roleManager, roleWorker}, o.Role) {
		return Node{}, fmt.Errorf("a node is a %s or a %s, not %q", roleManager, roleWorker, o.Role)
	}
	if o.Suite != "" {
		if err := validateSuite(o.Suite); err != nil {
			return Node{}, err
		}
	}
	var n Node
	err := l.locked(ctx, func(st *state) error {
		if st.Phase != phaseReady {
			return fmt.Errorf("lab %s is not complete; finish it first: requeen lab up -name %s", l.name, l.name)
		}
		n = st.addNode(o.Role)
		added := st.find(n.Name)
		if added.Added = true; o.Suite != st.Suite {
			added.Suite = o.Suite
		}
		n = *added
		return l.bootAdded(ctx, st, n)
	})
	if err != nil {
		return n, err
	}
	image, err := webImage(ctx, func(string) {})
	if err != nil {
		return n, err
	}
	st, _, err := l.node(n.Name)
	if err != nil {
		return n, err
	}
	if err := st.importImage(ctx, n.Name, image); err != nil || !o.Join {
		return n, err
	}
	return n, l.join(ctx, st, n)
}

// bootAdded records a node and boots it, on a base layer that is made where it
// is not there yet.
func (l *Lab) bootAdded(ctx context.Context, st *state, n Node) error {
	unlock, err := lockFile(ctx, filepath.Join(Root, "lock"), "the lock of all labs", func(string) {})
	if err != nil {
		return err
	}
	err = st.ensureLayerOf(ctx, st.suite(n), func(string) {})
	unlock()
	if err != nil {
		return err
	}
	if err := st.save(); err != nil {
		return err
	}
	if err := st.prepare(ctx, n); err != nil {
		return err
	}
	if err := st.writeSSH(); err != nil {
		return err
	}
	return st.boot(ctx, n)
}

// join brings an added node into the swarm, by whichever manager answers.
func (l *Lab) join(ctx context.Context, st *state, n Node) error {
	var last error
	for _, m := range st.swarmNodes() {
		if m.Role != roleManager {
			continue
		}
		var swarm struct {
			JoinTokens struct{ Manager, Worker string }
		}
		if last = st.engine(m.Name).call(ctx, http.MethodGet, "/swarm", nil, &swarm); last != nil {
			continue
		}
		token := swarm.JoinTokens.Worker
		if n.Role == roleManager {
			token = swarm.JoinTokens.Manager
		}
		return st.joinBy(ctx, n, m, token)
	}
	return fmt.Errorf("node %s can't join: no manager tells how: %w", n.Name, last)
}
