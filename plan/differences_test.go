package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// shaped is a healthy swarm and a configuration that declares the whole of its
// shape.
func shaped(t *testing.T) (*schema.Config, *state.State) {
	t.Helper()
	yes, limit, expiry, snapshot, slow, heartbeat, election, dispatcher := true, int64(5), 2160*time.Hour, uint64(10000), uint64(500), 1, 10, 5*time.Second
	st := observed(3)
	st.Swarm.Autolock, st.Swarm.UnlockKeyKnown = true, true
	st.Swarm.Settings = &state.SwarmSettings{TaskHistoryLimit: limit, CertExpiry: expiry, SnapshotInterval: snapshot, LogEntriesForSlowFollowers: slow,
		HeartbeatTick: heartbeat, ElectionTick: election, DispatcherHeartbeat: dispatcher, DataPathPort: 4789, DefaultAddrPool: []string{"10.0.0.0/8"}, DefaultAddrPoolMaskLength: 24}
	cfg := &schema.Config{Cluster: schema.Cluster{Name: "prod", Autolock: &yes, ListenAddr: "0.0.0.0:2377", DataPathPort: 4789, PruneNodes: true,
		DefaultAddrPool: []string{"10.0.0.0/8"}, DefaultAddrPoolMaskLength: 24,
		Settings: schema.Settings{TaskHistoryLimit: &limit, CertExpiry: &expiry, SnapshotInterval: &snapshot, LogEntriesForSlowFollowers: &slow,
			HeartbeatTick: &heartbeat, ElectionTick: &election, DispatcherHeartbeat: &dispatcher}}}
	for i := range st.Hosts {
		h := &st.Hosts[i]
		h.SwarmDir.ListenAddr, h.SwarmDir.AdvertiseAddr = "0.0.0.0:2377", h.Address+":2377"
		m := member(st, h.Name)
		m.Labels = map[string]string{"zone": h.Name}
		cfg.Nodes = append(cfg.Nodes, schema.Node{Name: h.Name, Address: h.Address, Role: m.Role, Availability: "active",
			Labels: maps.Clone(m.Labels), Connection: schema.Connection{SSH: schema.Target{User: "root", Host: h.Address}}})
	}
	return cfg, st
}

func nodeOf(cfg *schema.Config, name string) *schema.Node { return cfg.Node(name) }

func TestDifferences(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*schema.Config, *state.State)
		node   string
		code   string
		reason string
		remedy string
		steps  string // that reach it, empty where the plan names it as unmet
	}{
		"availability": {func(_ *schema.Config, st *state.State) { member(st, "m2").Availability = "drain" }, "m2", diag.NodeDiffers,
			"m2 has the availability drain in the swarm and is declared active", "docker node update --availability active m2", "update-node m2"},
		"demoted": {func(cfg *schema.Config, _ *state.State) { nodeOf(cfg, "m3").Role = "worker" }, "m3", diag.NodeDiffers,
			"m3 is a manager in the swarm and declared a worker", "docker node demote m3", "demote m3"},
		"promoted": {func(cfg *schema.Config, _ *state.State) { nodeOf(cfg, "w1").Role = "manager" }, "w1", diag.NodeDiffers,
			"declared a manager", "docker node promote w1", "promote w1"},
		"labels": {func(cfg *schema.Config, st *state.State) {
			nodeOf(cfg, "w1").Labels = map[string]string{"zone": "it's", "disk": "ssd"}
			member(st, "w1").Labels["old"] = "x"
		}, "w1", diag.NodeDiffers, `the label "disk" is missing, the label "zone" is "w1", declared "it's" and the label "old" is not declared`,
			`docker node update --label-add disk=ssd --label-add 'zone=it'\''s' --label-rm old w1`, "update-node w1"},
		"no labels": {func(cfg *schema.Config, _ *state.State) { nodeOf(cfg, "w1").Labels = map[string]string{} }, "w1", diag.NodeDiffers,
			`the label "zone" is not declared`, "--label-rm zone w1", "update-node w1"},
		"two of one hostname": {func(_ *schema.Config, st *state.State) {
			member(st, "w1").Availability = "pause"
			st.Swarm.Nodes[1].Hostname = "w1"
		}, "w1", diag.NodeDiffers, "pause", "--availability active " + idOf("w1"), "update-node w1"},
		"address": {func(_ *schema.Config, st *state.State) { member(st, "m2").ManagerAddr = "10.9.9.9:2377" }, "m2", diag.NodeDiffers,
			"m2 advertises 10.9.9.9 in the swarm and is declared with 10.0.0.12", "--advertise-addr", "update-node m2, demote m2, leave m2, join m2, update-node m2, remove-node m2"},
		"a worker's address": {func(_ *schema.Config, st *state.State) { st.Host("w1").Engine.NodeAddr = "10.9.9.9" }, "w1", diag.NodeDiffers, "10.9.9.9", "", ""},
		"listen address": {func(_ *schema.Config, st *state.State) { st.Host("m2").SwarmDir.ListenAddr = "10.0.0.12:2377" }, "m2", diag.NodeDiffers,
			"m2 joined with 10.0.0.12:2377", "leave and join", ""},
		"data path address": {func(cfg *schema.Config, st *state.State) {
			cfg.Cluster.DataPathAddr = "10.5.0.1"
			for i := range st.Hosts {
				st.Hosts[i].SwarmDir.DataPathAddr = "10.5.0.1"
			}
			st.Host("w1").SwarmDir.DataPathAddr = ""
		}, "w1", diag.NodeDiffers, "w1 joined with 10.0.0.21", "", ""},
		"in no swarm": {func(_ *schema.Config, st *state.State) {
			h := st.Host("w1")
			h.Engine = state.Engine{Answered: state.Present, Version: "28.5.2", LocalNodeState: "inactive"}
			h.SwarmDir = state.SwarmDir{Presence: state.Absent}
			st.Swarm.Nodes = st.Swarm.Nodes[:3]
		}, "w1", diag.NodeDiffers, "its engine is in no swarm", "docker swarm join-token worker", "join w1, update-node w1"},
		"autolock": {func(_ *schema.Config, st *state.State) { st.Swarm.Autolock = false }, "", diag.SwarmDiffers, "auto-lock is off", "docker swarm update --autolock=true", "update-swarm m1"},
		"settings": {func(_ *schema.Config, st *state.State) {
			st.Swarm.Settings.CertExpiry, st.Swarm.Settings.ElectionTick, st.Swarm.Settings.TaskHistoryLimit = 90*time.Minute, 3, 0
		}, "", diag.SwarmDiffers, "Task_history_limit is 0, declared 5; cert_expiry is 1h30m, declared 2160h; election_tick is 3, declared 10",
			"docker swarm update --task-history-limit 5 --cert-expiry 2160h; docker's command has no flag for election_tick", "update-swarm m1"},
		"made": {func(_ *schema.Config, st *state.State) { st.Swarm.Settings.DataPathPort = 7777 }, "", diag.SwarmDiffers, "data_path_port is 7777", "only a new swarm", ""},
		"undeclared": {func(_ *schema.Config, st *state.State) {
			st.Swarm.Nodes = append(st.Swarm.Nodes, state.SwarmNode{ID: idOf("w9"), Hostname: "w9", Role: "worker", Availability: "active", Status: "down", Addr: "10.0.0.99"})
		}, "", diag.NodeUndeclared, "The worker w9 (node " + idOf("w9") + ", down)", "docker node rm w9", "remove-node w9"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, st := shaped(t)
			if list := plan.Differences(cfg, st); len(list) != 0 {
				t.Fatalf("of what is as declared: %+v", list)
			}
			c.change(cfg, st)
			list := plan.Differences(cfg, st)
			if len(list) != 1 {
				t.Fatalf("%d differences: %+v", len(list), list)
			}
			u := list[0]
			text := strings.ToLower(u.Reason)
			if u.Code != c.code || u.Node != c.node || !strings.Contains(text, strings.ToLower(c.reason)) || !strings.Contains(u.Remedy, c.remedy) || u.Goal == "" {
				t.Errorf("%+v", u)
			}
			p, err := plan.Build(plan.Input{Config: cfg, State: st, Now: observedAt})
			if err != nil {
				t.Fatal(err)
			}
			if have := stepsOf(p); have != c.steps || slices.Contains(p.Unmet, u) != (c.steps == "") {
				t.Errorf("steps %q, unmet %+v", have, p.Unmet)
			}
		})
	}
}

// shapeChanges each make one difference, and none hides another's: those that no
// step reaches, and those that one does, with the steps.
var shapeChanges = map[string]struct {
	change func(*schema.Config, *state.State)
	steps  []string
}{
	"m1's availability": {func(_ *schema.Config, st *state.State) { member(st, "m1").Availability = "drain" }, []string{"update-node m1"}},
	"m2's availability": {func(cfg *schema.Config, _ *state.State) { cfg.Node("m2").Availability = "pause" }, []string{"update-node m2"}},
	"m2's labels":       {func(_ *schema.Config, st *state.State) { member(st, "m2").Labels["more"] = "" }, []string{"update-node m2"}},
	"m3's labels":       {func(cfg *schema.Config, _ *state.State) { cfg.Node("m3").Labels = map[string]string{} }, []string{"update-node m3"}},
	"w1's address":      {func(_ *schema.Config, st *state.State) { st.Host("w1").Engine.NodeAddr = "10.9.9.9" }, nil},
	"m3's listen_addr":  {func(_ *schema.Config, st *state.State) { st.Host("m3").SwarmDir.ListenAddr = "0.0.0.0:99" }, nil},
	"m3 is demoted":     {func(cfg *schema.Config, _ *state.State) { cfg.Node("m3").Role = "worker" }, []string{"demote m3"}},
	"autolock": {func(cfg *schema.Config, _ *state.State) {
		no := false
		cfg.Cluster.Autolock = &no
	}, []string{"update-swarm m1"}},
	"a setting":  {func(_ *schema.Config, st *state.State) { st.Swarm.Settings.HeartbeatTick++ }, []string{"update-swarm m1"}},
	"a port":     {func(cfg *schema.Config, _ *state.State) { cfg.Cluster.DataPathPort = 7789 }, nil},
	"undeclared": {func(_ *schema.Config, st *state.State) { extra(st, "w9", "worker", "down") }, []string{"remove-node w9"}},
}

// Any set of changes gives as many differences, in the same order each time; those
// that steps reach are no unmet goals, and the backup's steps come first as they are
// without them.
func TestEveryChangeIsOneDifference(t *testing.T) {
	names := slices.Sorted(maps.Keys(shapeChanges))
	rapid.Check(t, func(r *rapid.T) {
		cfg, st := shaped(t)
		cfg.Repositories = []schema.Repository{{Name: "local", URL: "file:///srv/backups", Recipients: []string{"age1"}}}
		cfg.Backups = []schema.Backup{{Name: "state", Repository: "local", MaxAge: 24 * time.Hour, From: schema.FromFollower, Consistency: schema.ConsistencyStopped}}
		before := stepsOf(built(r, cfg, st))
		count, out := 0, 0
		want := map[string]bool{}
		for _, name := range names {
			c := shapeChanges[name]
			if !rapid.Bool().Draw(r, name) {
				continue
			}
			c.change(cfg, st)
			count++
			if len(c.steps) == 0 {
				out++
			}
			for _, s := range c.steps {
				want[s] = true
			}
		}
		list := plan.Differences(cfg, st)
		if len(list) != count || !slices.Equal(list, plan.Differences(cfg, st)) {
			r.Fatalf("%d changes, differences %+v", count, list)
		}
		p := built(r, cfg, st)
		if len(p.Unmet) != out || out > 0 && !strings.Contains(p.Summary, fmt.Sprintf("; %d difference", out)) {
			r.Fatalf("unmet %+v, summary %q", p.Unmet, p.Summary)
		}
		after, first := stepsOf(p), strings.HasPrefix(stepsOf(p), before)
		if !first || before == "" {
			r.Fatalf("steps %q, without the changes %q", after, before)
		}
		for _, s := range strings.Split(strings.TrimPrefix(strings.TrimPrefix(after, before), ", "), ", ") {
			if s != "" && !want[s] {
				r.Fatalf("step %q, wanted are %v", s, want)
			}
			delete(want, s)
		}
		if len(want) > 0 {
			r.Fatalf("no step %v in %q", want, after)
		}
	})
}

func built(t fataler, cfg *schema.Config, st *state.State) *plan.Plan {
	t.Helper()
	p, err := plan.Build(plan.Input{Config: cfg, State: st, Now: observedAt})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return p
}

// What is left of a swarm on a node's disk is moved before it joins, and what
// could not be read says nothing.
func TestWhoIsInNoSwarm(t *testing.T) {
	for name, c := range map[string]struct {
		change func(h *state.Host)
		remedy string // empty: no difference
	}{
		"left":            {nil, "On a manager docker swarm join-token worker"},
		"nothing on disk": {func(h *state.Host) { h.SwarmDir = state.SwarmDir{Presence: state.Absent} }, "On a manager"},
		"its engine is down": {func(h *state.Host) {
			h.Engine, h.Service.ActiveState = state.Engine{Answered: state.Absent}, "inactive"
		}, "Start the engine of w1, then plan again"},
		"a rest on the disk": {func(h *state.Host) { h.SwarmDir.HasKey = true }, "mv -T /var/lib/docker/swarm /var/lib/docker/swarm.left; systemctl start docker.service docker.socket. Then plan again"},
		"an old node's state": {func(h *state.Host) {
			h.SwarmDir.NodeID, h.SwarmDir.ClusterID = "gone", swarmID
			h.Engine.LocalNodeState, h.Engine.NodeID = "active", "gone"
		}, "mv -T"},
		"its disk was not read":  {func(h *state.Host) { h.SwarmDir = state.SwarmDir{} }, ""},
		"its engine is pending":  {func(h *state.Host) { h.Engine.LocalNodeState = "pending" }, ""},
		"its host was not asked": {func(h *state.Host) { h.Looked = state.Unknown }, ""},
	} {
		cfg, st := shaped(t)
		outOfSwarm(st, "w1")
		if c.change != nil {
			c.change(st.Host("w1"))
		}
		list := plan.Differences(cfg, st)
		if c.remedy == "" && len(list) == 0 {
			continue
		}
		if c.remedy == "" || len(list) != 1 || list[0].Node != "w1" || !strings.Contains(list[0].Remedy, c.remedy) {
			t.Errorf("%s: %+v", name, list)
		}
	}
}

// What is not declared is left as it is, and what could not be looked at is no
// difference.
func TestNoDifference(t *testing.T) {
	for name, change := range map[string]func(*schema.Config, *state.State){
		"nothing declared": func(cfg *schema.Config, st *state.State) {
			cfg.Cluster = schema.Cluster{Name: "prod"}
			for i := range cfg.Nodes {
				cfg.Nodes[i].Availability, cfg.Nodes[i].Labels = "", nil
			}
			st.Swarm.Nodes[0].Availability = "drain"
			st.Swarm.Nodes = append(st.Swarm.Nodes, state.SwarmNode{ID: idOf("w9"), Hostname: "w9", Role: "worker"})
		},
		"settings unknown": func(_ *schema.Config, st *state.State) { st.Swarm.Settings = nil },
		"no swarm answers": func(_ *schema.Config, st *state.State) { st.Swarm = nil },
		"a host is away":   func(_ *schema.Config, st *state.State) { lose(st, "w1"); member(st, "w1").Addr = "172.17.0.1" },
		"another swarm": func(cfg *schema.Config, st *state.State) {
			cfg.Cluster.ID = "0000000000000000000000000"
			st.Swarm.Nodes[0].Availability = "drain"
		},
	} {
		cfg, st := shaped(t)
		change(cfg, st)
		if list := plan.Differences(cfg, st); len(list) != 0 {
			t.Errorf("%s: %+v", name, list)
		}
	}
}
