package plan_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// wide is a swarm of five managers and so many nodes in all, well but for differences
// from what is declared: of every tenth node the labels, of every hundredth the
// availability; one in fifty is not declared.
func wide(nodes int) plan.Input {
	cfg, st := literal(5, "state"), observed(5)
	cfg.Nodes, st.Hosts, st.Swarm.Nodes = cfg.Nodes[:5], st.Hosts[:5], st.Swarm.Nodes[:5]
	cfg.Cluster.PruneNodes = true
	for i := range nodes - 5 {
		name, address := fmt.Sprintf("w%05d", i), fmt.Sprintf("10.1.%d.%d", i/250, i%250+1)
		entry := state.SwarmNode{ID: idOf(name), Hostname: name, Role: "worker", Availability: "active", Status: "ready", Addr: address,
			EngineVersion: "28.5.2", Labels: map[string]string{"zone": "a"}, RunningTasks: 2}
		if i%10 == 0 {
			entry.Labels["zone"] = "b"
		}
		if i%100 == 1 {
			entry.Availability = "drain"
		}
		st.Swarm.Nodes = append(st.Swarm.Nodes, entry)
		if i%50 == 49 {
			continue
		}
		cfg.Nodes = append(cfg.Nodes, schema.Node{Name: name, Address: address, Role: schema.RoleWorker, Availability: "active", Labels: map[string]string{"zone": "a"}})
		st.Hosts = append(st.Hosts, host(name, address, "worker"))
	}
	st.Swarm.Objects = state.Objects{Nodes: nodes, Services: nodes / 2}
	return plan.Input{Config: cfg, State: st, Now: observedAt, ToolVersion: "test"}
}

// apart is that swarm without an address of its workers that is read: they are told
// by their hostnames.
func apart(nodes int) plan.Input {
	in := wide(nodes)
	for i := range in.State.Hosts {
		if h := &in.State.Hosts[i]; i >= 5 {
			in.Config.Nodes[i].Connection.None = true
			*h = state.Host{Name: h.Name, Address: h.Address, Target: "none"}
			in.Config.Nodes[i].Address = ""
		}
	}
	return in
}

// fallen is that swarm when four of its managers have forgotten it, with half as many
// services as nodes, and two tasks on each node.
func fallen(nodes int) plan.Input {
	in := wide(nodes)
	in.Config.Recovery = &schema.Recovery{Allow: allowances()[15]}
	st := in.State
	store := &state.Store{Nodes: map[string]state.StoreNode{}}
	for i := range nodes / 2 {
		store.Services = append(store.Services, state.StoreService{ID: fmt.Sprintf("s%05d", i), Name: fmt.Sprintf("service-%d", i), Moves: true,
			Writable: []state.Mount{{Type: "bind", Source: fmt.Sprintf("/srv/%d", i), Target: "/data"}}})
	}
	for i, n := range st.Swarm.Nodes {
		store.Nodes[n.ID] = state.StoreNode{Hostname: n.Hostname, Addr: n.Addr}
		for j := range 2 {
			t := state.Task{ID: fmt.Sprintf("t%05d%d", i, j), NodeID: n.ID, ServiceID: store.Services[(i+j)%len(store.Services)].ID, State: "running", DesiredState: "running"}
			store.Tasks = append(store.Tasks, t)
			h := st.Host(n.Hostname)
			if h == nil {
				continue
			}
			c := state.Container{ID: "c" + t.ID, Name: "n" + t.ID, State: "running", TaskID: t.ID, ServiceID: t.ServiceID, ServiceName: "s", AnonymousVolumes: []string{"v" + t.ID}}
			if i%3 == 0 {
				c.TaskID += "of another time"
			}
			h.Containers, h.ContainersLooked = append(h.Containers, c), state.Present
		}
	}
	for i := range 5 {
		d := &st.Hosts[i].SwarmDir
		d.HasStateFile = i == 0
		st.Hosts[i].Engine = state.Engine{Answered: state.Present, Version: "28.5.2", LocalNodeState: "inactive"}
		d.Raft, d.Store = log(st.Hosts[i].Name, 7, 960), store
	}
	for i := range st.Hosts {
		if i%7 == 6 {
			h := &st.Hosts[i] // some can't be reached
			*h = state.Host{Name: h.Name, Address: h.Address, Looked: state.Absent, Problem: &state.Problem{Code: "RQ301", Text: "no route to host"}}
		}
	}
	silent(st, "nobody answers")
	st.FirstLookedAt = observedAt.Add(-10 * time.Minute)
	return in
}

// moved is that swarm when its managers have other addresses than its workers know:
// every worker joins anew.
func moved(nodes int) plan.Input {
	in := fallen(nodes)
	for i := range 5 {
		d := &in.State.Hosts[i].SwarmDir
		if i%4 == 0 {
			for j := range d.Raft.Members {
				d.Raft.Members[j].Addr = fmt.Sprintf("192.0.2.%d:2377", j)
			}
		}
	}
	return in
}

var scales = map[string]func(int) plan.Input{"differences": wide, "by hostname": apart, "recovery": fallen, "workers join anew": moved}

// BenchmarkBuild shows the slope: ns/node is to stay what it is.
func BenchmarkBuild(b *testing.B) {
	for name, input := range scales {
		for _, nodes := range []int{100, 1000, 10000} {
			b.Run(fmt.Sprintf("%s/%d", name, nodes), func(b *testing.B) {
				in := input(nodes)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := plan.Build(in); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(nodes), "ns/node")
			})
		}
	}
}

// cost is what as many plans take of one processor, whatever else the machine does,
// and what one allocates in all.
func cost(t *testing.T, in plan.Input, plans int) (time.Duration, uint64) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	least, bytes := time.Hour, uint64(0)
	for range 3 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		from := spent(t)
		for range plans {
			if _, err := plan.Build(in); err != nil {
				t.Fatal(err)
			}
		}
		least = min(least, spent(t)-from)
		runtime.ReadMemStats(&after)
		bytes = (after.TotalAlloc - before.TotalAlloc) / uint64(plans)
	}
	return least, bytes
}

// spent is the processor time of this thread.
func spent(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	const thread = 1
	if err := syscall.Getrusage(thread, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestTenThousandNodes: a swarm of ten thousand nodes and five thousand services is
// planned in a second and in 300 MB, all counted that is ever allocated; and it takes
// what sixteen swarms take of a sixteenth of its size. Sixteen times as much would be
// quadratic.
func TestTenThousandNodes(t *testing.T) {
	for name, input := range scales {
		small, _ := cost(t, input(10000/16), 16)
		large, bytes := cost(t, input(10000), 1)
		t.Logf("%s: 16 times 625 nodes take %s, 10,000 take %s and %d MB", name, small.Round(time.Millisecond), large.Round(time.Millisecond), bytes>>20)
		if large > 4*max(small, 10*time.Millisecond) {
			t.Errorf("%s: sixteen times the nodes take %.1f times as long as sixteen plans", name, float64(large)/float64(small))
		}
		if large > time.Second {
			t.Errorf("%s: 10,000 nodes take %s", name, large)
		}
		if bytes > 300<<20 {
			t.Errorf("%s: 10,000 nodes take %d MB", name, bytes>>20)
		}
	}
}
