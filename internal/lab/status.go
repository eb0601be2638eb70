package lab

import (
	"context"
	"strings"
	"time"
)

// Status is what a lab is like at a moment.
type Status struct {
	Name    string       `json:"name"`
	Dir     string       `json:"dir"`
	Suite   string       `json:"suite"`
	Network string       `json:"network"`
	Phase   string       `json:"phase"` // "making", "ready" or "removing"
	Nodes   []NodeStatus `json:"nodes"`
	// Snapshots are the names that Reset knows, sorted.
	Snapshots []string `json:"snapshots,omitempty"`
}

// NodeStatus is what a node is like at a moment.
type NodeStatus struct {
	Node
	Running bool   `json:"running"`
	Engine  string `json:"engine,omitempty"` // its version
	Swarm   string `json:"swarm,omitempty"`  // what the engine says of its place: active, locked, inactive, …
	Error   string `json:"error,omitempty"`
}

// Status looks at every node; one that does not answer is in the result.
func (l *Lab) Status(ctx context.Context) (Status, error) {
	st, err := loadState(l.dir)
	if err != nil {
		return Status{}, err
	}
	out := Status{Name: st.Name, Dir: st.Dir, Suite: st.suites(), Network: st.Prefix + ".0/24", Phase: st.Phase,
		Nodes: make([]NodeStatus, len(st.Nodes)), Snapshots: st.snapshots()}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_ = parallel(index(st.Nodes), func(i int) error {
		out.Nodes[i] = st.nodeStatus(ctx, st.Nodes[i])
		return nil
	})
	return out, nil
}

func index[T any](s []T) []int {
	out := make([]int, len(s))
	for i := range s {
		out[i] = i
	}
	return out
}

func (s *state) nodeStatus(ctx context.Context, n Node) NodeStatus {
	out := NodeStatus{Node: n}
	pid, err := s.leader(n.Name)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	if out.Running = pid != 0; !out.Running {
		return out
	}
	info, err := s.engine(n.Name).info(ctx)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Engine, out.Swarm, out.Error = info.ServerVersion, info.Swarm.LocalNodeState, strings.TrimSpace(info.Swarm.Error)
	return out
}
