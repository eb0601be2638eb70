package plan_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

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
	}{
		"availability": {func(_ *schema.Config, st *state.State) { member(st, "m2").Availability = "drain" }, "m2", diag.NodeDiffers,
			"m2 has the availability drain in the swarm and is declared active", "docker node update --availability active m2"},
		"demoted": {func(cfg *schema.Config, _ *state.State) { nodeOf(cfg, "m3").Role = "worker" }, "m3", diag.NodeDiffers,
			"m3 is a manager in the swarm and declared a worker", "docker node demote m3"},
		"promoted": {func(cfg *schema.Config, _ *state.State) { nodeOf(cfg, "w1").Role = "manager" }, "w1", diag.NodeDiffers,
			"declared a manager", "docker node promote w1"},
		"labels": {func(cfg *schema.Config, st *state.State) {
			nodeOf(cfg, "w1").Labels = map[string]string{"zone": "it's", "disk": "ssd"}
			member(st, "w1").Labels["old"] = "x"
		}, "w1", diag.NodeDiffers, `the label "disk" is missing, the label "zone" is "w1", declared "it's" and the label "old" is not declared`,
			`docker node update --label-add disk=ssd --label-add 'zone=it'\''s' --label-rm old w1`},
		"no labels": {func(cfg *schema.Config, _ *state.State) { nodeOf(cfg, "w1").Labels = map[string]string{} }, "w1", diag.NodeDiffers,
			`the label "zone" is not declared`, "--label-rm zone w1"},
		"two of one hostname": {func(_ *schema.Config, st *state.State) {
			member(st, "w1").Availability = "pause"
			st.Swarm.Nodes[1].Hostname = "w1"
		}, "w1", diag.NodeDiffers, "pause", "--availability active " + idOf("w1")},
		"address": {func(_ *schema.Config, st *state.State) { member(st, "m2").ManagerAddr = "10.9.9.9:2377" }, "m2", diag.NodeDiffers,
			"m2 advertises 10.9.9.9 in the swarm and is declared with 10.0.0.12", "--advertise-addr"},
		"a worker's address": {func(_ *schema.Config, st *state.State) { st.Host("w1").Engine.NodeAddr = "10.9.9.9" }, "w1", diag.NodeDiffers, "10.9.9.9", ""},
		"listen address": {func(_ *schema.Config, st *state.State) { st.Host("m2").SwarmDir.ListenAddr = "10.0.0.12:2377" }, "m2", diag.NodeDiffers,
			"m2 joined with 10.0.0.12:2377", "leave and join"},
		"data path address": {func(cfg *schema.Config, st *state.State) {
			cfg.Cluster.DataPathAddr = "10.5.0.1"
			for i := range st.Hosts {
				st.Hosts[i].SwarmDir.DataPathAddr = "10.5.0.1"
			}
			st.Host("w1").SwarmDir.DataPathAddr = ""
		}, "w1", diag.NodeDiffers, "w1 joined with 10.0.0.21", ""},
		"in no swarm": {func(_ *schema.Config, st *state.State) {
			h := st.Host("w1")
			h.Engine = state.Engine{Answered: state.Present, Version: "28.5.2", LocalNodeState: "inactive"}
			h.SwarmDir = state.SwarmDir{Presence: state.Absent}
			st.Swarm.Nodes = st.Swarm.Nodes[:3]
		}, "w1", diag.NodeDiffers, "its engine is in no swarm", "docker swarm join-token worker"},
		"autolock": {func(_ *schema.Config, st *state.State) { st.Swarm.Autolock = false }, "", diag.SwarmDiffers, "auto-lock is off", "docker swarm update --autolock=true"},
		"settings": {func(_ *schema.Config, st *state.State) {
			st.Swarm.Settings.CertExpiry, st.Swarm.Settings.ElectionTick, st.Swarm.Settings.TaskHistoryLimit = 90*time.Minute, 3, 0
		}, "", diag.SwarmDiffers, "Task_history_limit is 0, declared 5; cert_expiry is 1h30m, declared 2160h; election_tick is 3, declared 10",
			"docker swarm update --task-history-limit 5 --cert-expiry 2160h; docker's command has no flag for election_tick"},
		"made": {func(_ *schema.Config, st *state.State) { st.Swarm.Settings.DataPathPort = 7777 }, "", diag.SwarmDiffers, "data_path_port is 7777", "only a new swarm"},
		"undeclared": {func(_ *schema.Config, st *state.State) {
			st.Swarm.Nodes = append(st.Swarm.Nodes, state.SwarmNode{ID: idOf("w9"), Hostname: "w9", Role: "worker", Availability: "active", Status: "down", Addr: "10.0.0.99"})
		}, "", diag.NodeUndeclared, "The worker w9 (down)", "docker node rm --force w9"},
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
			if !slices.Contains(p.Unmet, u) {
				t.Errorf("the plan does not name it: %+v", p.Unmet)
			}
		})
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
