package adopt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/requeen/requeen/internal/adopt"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

const recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"

var observedAt = time.Date(2025, 3, 10, 3, 0, 0, 0, time.UTC)

// observed is a swarm of two managers and a worker, all of them seen.
func observed() adopt.Input {
	in := adopt.Input{Name: "prod", From: schema.Connection{SSH: schema.Target{User: "root", Host: "m1"}}, FromID: "m1id",
		Recipients: []string{recipient}, Hosts: map[string]state.Host{}, Swarm: state.Swarm{ID: "s1warm0000000000000000000", SeenFrom: "m1",
			Settings: &state.SwarmSettings{TaskHistoryLimit: 5, CertExpiry: 2160 * time.Hour, SnapshotInterval: 10000, LogEntriesForSlowFollowers: 500,
				HeartbeatTick: 1, ElectionTick: 10, DispatcherHeartbeat: 5 * time.Second, DataPathPort: 4789, DefaultAddrPool: []string{"10.0.0.0/8"}, DefaultAddrPoolMaskLength: 24}}}
	for i, name := range []string{"m1", "m2", "w1"} {
		n := state.SwarmNode{ID: name + "id", Hostname: name, Role: "worker", Availability: "active", Status: "ready", Addr: fmt.Sprintf("10.0.0.%d", 11+i)}
		if name[0] == 'm' {
			n.Role, n.ManagerAddr, n.Reachability, n.Leader = "manager", n.Addr+":2377", "reachable", name == "m1"
		}
		in.Swarm.Nodes = append(in.Swarm.Nodes, n)
		in.Hosts[n.ID] = state.Host{Name: name, Looked: state.Present, Service: state.Service{Unit: "docker.service", ActiveState: "active"},
			Engine:   state.Engine{Answered: state.Present, DataRoot: "/var/lib/docker", NodeID: n.ID, NodeAddr: n.Addr, LocalNodeState: "active"},
			SwarmDir: state.SwarmDir{Presence: state.Present, Role: n.Role, NodeID: n.ID, ClusterID: in.Swarm.ID, ListenAddr: "0.0.0.0:2377", AdvertiseAddr: n.Addr + ":2377"}}
	}
	return in
}

func node(t *testing.T, made adopt.Adopted, name string) schema.Node {
	t.Helper()
	n := made.Config.Node(name)
	if n == nil {
		t.Fatalf("there is no node %s; diagnostics: %v", name, made.Diagnostics)
	}
	return *n
}

func TestNodes(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*adopt.Input)
		check  func(*testing.T, adopt.Adopted)
		says   string // in the diagnostics; nothing at all where empty
	}{
		"as it is": {func(*adopt.Input) {}, func(t *testing.T, made adopt.Adopted) {
			if c := node(t, made, "m1").Connection; c.SSH.String() != "root@m1" {
				t.Errorf("the node of -from is reached as %s", c.SSH)
			}
			if n := node(t, made, "m2"); n.Connection.SSH.String() != "root@10.0.0.12" || n.Address != "10.0.0.12" || n.Availability != "active" || n.Labels == nil || n.Engine.Service != "" || n.Engine.DataRoot != "" {
				t.Errorf("%+v", n)
			}
		}, ""},
		"sudo": {func(in *adopt.Input) {
			in.From = schema.Connection{SSH: schema.Target{User: "ops", Host: "m1", Port: 2222}, Become: "sudo"}
		}, func(t *testing.T, made adopt.Adopted) {
			if c := node(t, made, "m1").Connection; c.SSH.String() != "ops@m1:2222" || c.Become != "sudo" {
				t.Errorf("%+v", c)
			}
			if c := node(t, made, "w1").Connection; c.SSH.String() != "ops@10.0.0.13" || c.Become != "sudo" {
				t.Errorf("%+v", c)
			}
		}, ""},
		"local": {func(in *adopt.Input) { in.From = schema.Connection{Local: true} }, func(t *testing.T, made adopt.Adopted) {
			if !node(t, made, "m1").Connection.Local || node(t, made, "m2").Connection.SSH.String() != "root@10.0.0.12" {
				t.Error("connections")
			}
		}, ""},
		"an engine elsewhere": {func(in *adopt.Input) {
			h := in.Hosts["m2id"]
			h.Service.Unit, h.Engine.DataRoot = "dockerd.service", "/data/docker"
			in.Hosts["m2id"] = h
		}, func(t *testing.T, made adopt.Adopted) {
			if e := node(t, made, "m2").Engine; e.Service != "dockerd.service" || e.DataRoot != "/data/docker" {
				t.Errorf("%+v", e)
			}
		}, ""},
		"a worker is away": {func(in *adopt.Input) { away(in, "w1id") }, func(t *testing.T, made adopt.Adopted) {
			if n := node(t, made, "w1"); !n.Connection.None || n.Address != "10.0.0.13" || !strings.Contains(made.Comments["node w1"], "no route") {
				t.Errorf("%+v", n)
			}
		}, "A worker could not be reached"},
		"a manager is away": {func(in *adopt.Input) { away(in, "m2id") }, func(t *testing.T, made adopt.Adopted) {
			if n := node(t, made, "m2"); n.Connection.SSH.Host != "10.0.0.12" {
				t.Errorf("%+v", n)
			}
		}, "A manager could not be reached"},
		"odd hostnames": {func(in *adopt.Input) {
			in.Swarm.Nodes[0].Hostname, in.Swarm.Nodes[1].Hostname, in.Swarm.Nodes[2].Hostname = "follower", "-ü.example.com", ""
		}, func(t *testing.T, made adopt.Adopted) {
			node(t, made, "follower-node")
			node(t, made, "example.com")
			node(t, made, "node-w1id")
		}, ""},
		"one hostname three times": {func(in *adopt.Input) {
			for i := range in.Swarm.Nodes {
				in.Swarm.Nodes[i].Hostname = "debian"
			}
		}, func(t *testing.T, made adopt.Adopted) {
			node(t, made, "debian-1")
			node(t, made, "debian-2")
			node(t, made, "debian-3")
		}, ""},
		"a ghost": {func(in *adopt.Input) {
			in.Swarm.Nodes = append(in.Swarm.Nodes, state.SwarmNode{ID: "old", Hostname: "w1", Role: "worker", Status: "down", Addr: "10.0.0.13", Availability: "active"})
		}, func(t *testing.T, made adopt.Adopted) {
			if node(t, made, "w1"); len(made.Config.Nodes) != 3 {
				t.Errorf("%d nodes", len(made.Config.Nodes))
			}
		}, "docker node rm --force old"},
		"IPv6": {func(in *adopt.Input) { in.Swarm.Nodes[1].ManagerAddr = "[fd00::2]:2377" }, func(t *testing.T, made adopt.Adopted) {
			if n := node(t, made, "m2"); n.Address != "fd00::2" || n.Connection.SSH.Host != "fd00::2" {
				t.Errorf("%+v", n)
			}
		}, ""},
		"an address that says nothing": {func(in *adopt.Input) { in.Swarm.Nodes[2].Addr = "0.0.0.0" }, func(t *testing.T, made adopt.Adopted) {
			if n := node(t, made, "w1"); n.Address != "10.0.0.13" {
				t.Errorf("%+v", n)
			}
		}, ""},
		"no address": {func(in *adopt.Input) { in.Swarm.Nodes[2].Addr = "0.0.0.0"; away(in, "w1id") }, func(*testing.T, adopt.Adopted) {}, "The address of a node is not known"},
		"two of one address": {func(in *adopt.Input) {
			in.Swarm.Nodes[2].Addr = "10.0.0.12"
			h := in.Hosts["w1id"]
			h.SwarmDir.AdvertiseAddr, h.Engine.NodeAddr = "", ""
			in.Hosts["w1id"] = h
		}, func(*testing.T, adopt.Adopted) {}, "Two nodes have one address"},
	} {
		t.Run(name, func(t *testing.T) {
			in := observed()
			c.change(&in)
			made := adopt.Config(in)
			if text := made.Diagnostics.Error(); (c.says == "") != (text == "") || !strings.Contains(text, c.says) {
				t.Errorf("says %q, want %q", text, c.says)
			}
			c.check(t, made)
		})
	}
}

func away(in *adopt.Input, id string) {
	in.Hosts[id] = state.Host{Looked: state.Absent, Problem: &state.Problem{Text: "no route to host"}}
}

// Whatever a swarm is like, what is written of it reads back the same, and a
// plan finds no difference.
func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		in := observed()
		s := &in.Swarm
		s.Autolock = rapid.Bool().Draw(r, "autolock")
		s.Settings.TaskHistoryLimit = rapid.Int64Range(0, 1000).Draw(r, "history")
		s.Settings.CertExpiry = time.Hour + time.Duration(rapid.Int64Range(0, 1e16).Draw(r, "expiry"))
		s.Settings.SnapshotInterval = rapid.Uint64Range(1, 1e6).Draw(r, "snapshot")
		s.Settings.DispatcherHeartbeat = time.Second + time.Duration(rapid.Int64Range(0, 1e11).Draw(r, "dispatcher"))
		s.Settings.DataPathPort = rapid.SampledFrom([]uint32{4789, 7777}).Draw(r, "port")
		s.Settings.DefaultAddrPool = rapid.SampledFrom([][]string{{"10.0.0.0/8"}, {"10.20.0.0/16", "10.30.0.0/16"}}).Draw(r, "pool")
		for i := range s.Nodes {
			n := &s.Nodes[i]
			n.Availability = rapid.SampledFrom([]string{"active", "pause", "drain"}).Draw(r, "availability")
			n.Labels = rapid.MapOfN(rapid.StringMatching(`[a-z][a-z.-]{0,8}`), rapid.StringMatching(`[ -~]{0,12}|\$\{x\}|%\{if\}|ü"\\`), 0, 3).Draw(r, "labels")
		}
		made := adopt.Config(in)
		text, err := schema.Source(made.Config, schema.SourceOptions{Comments: made.Comments})
		if err != nil {
			r.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "cluster.rq.hcl"), text, 0o600); err != nil {
			r.Fatal(err)
		}
		cfg, ds := schema.Load(dir, schema.Options{})
		if ds.HasErrors() {
			r.Fatalf("%v\n%s", ds, text)
		}
		if a, b := adopt.Comparable(made.Config), adopt.Comparable(cfg); a != b {
			r.Fatalf("written %s\nread    %s\n%s", a, b, text)
		}
		st := &state.State{ObservedAt: observedAt, Cluster: "prod", Swarm: s}
		for _, n := range s.Nodes {
			h := in.Hosts[n.ID]
			h.Name, h.Address = n.Hostname, n.Addr
			st.Hosts = append(st.Hosts, h)
		}
		if list := plan.Differences(cfg, st); len(list) != 0 {
			r.Fatalf("%+v\n%s", list, text)
		}
	})
}
