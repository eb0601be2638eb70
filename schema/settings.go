package schema

import (
	"fmt"
	"math"
	"time"

	"github.com/hashicorp/hcl/v2"
)

var settingsSpec = &blockSpec{
	name: "settings", count: "at most one",
	doc: "The swarm's own settings. What is not given is left as it is.", effect: stepped,
	misuse: []string{
		"an election_tick that is not above heartbeat_tick, where both are given",
	},
	attrs: []attrSpec{
		{name: "task_history_limit", typ: "number", def: asItIs, doc: "How many finished tasks are kept of each replica.",
			misuse: []string{"less than 0"}},
		{name: "cert_expiry", typ: "duration", def: asItIs, doc: "How long a node's certificate is valid: " + durationForm + ".",
			misuse: []string{"less than an hour"}},
		{name: "snapshot_interval", typ: "number", def: asItIs, doc: "The number of log entries between raft snapshots.",
			misuse: []string{"less than 1"}},
		{name: "log_entries_for_slow_followers", typ: "number", def: asItIs, doc: "The number of log entries that are kept after a snapshot, for managers that lag behind.",
			misuse: []string{"less than 1: engines take 0 for \"leave it as it is\""}},
		{name: "heartbeat_tick", typ: "number", def: asItIs, doc: "The number of ticks (seconds) between the leader's heartbeats.", effect: ownTicks,
			misuse: []string{"less than 1"}},
		{name: "election_tick", typ: "number", def: asItIs, doc: "The number of ticks without a heartbeat after which managers elect another leader.", effect: ownTicks,
			misuse: []string{"less than 1"}},
		{name: "dispatcher_heartbeat", typ: "duration", def: asItIs, doc: "How often a node tells the managers that it is there.",
			misuse: []string{"less than a second"}},
	},
}

func (l *loader) readSettings(cluster *content) Settings {
	out := Settings{Range: toRange(cluster.def)}
	blocks := cluster.blocks["settings"]
	if len(blocks) == 0 {
		return out
	}
	c := l.read(settingsSpec, blocks[0])
	out.Range = toRange(c.def)
	if f := l.whole(c, "task_history_limit", 0, math.MaxInt32); f.ok {
		out.TaskHistoryLimit = &f.val
	}
	out.CertExpiry = period(l.atLeast(c, "cert_expiry", time.Hour, "engines refuse less"))
	out.DispatcherHeartbeat = period(l.atLeast(c, "dispatcher_heartbeat", time.Second, "with less, every node keeps the managers busy"))
	entries := func(name string) *uint64 {
		f := l.whole(c, name, 1, math.MaxInt32)
		if !f.ok {
			return nil
		}
		n := uint64(f.val)
		return &n
	}
	out.SnapshotInterval, out.LogEntriesForSlowFollowers = entries("snapshot_interval"), entries("log_entries_for_slow_followers")
	ticks := func(name string) (*int, hcl.Range) {
		f := l.whole(c, name, 1, math.MaxInt32)
		if !f.ok {
			return nil, f.at
		}
		n := int(f.val)
		return &n, f.at
	}
	var at hcl.Range
	out.HeartbeatTick, _ = ticks("heartbeat_tick")
	out.ElectionTick, at = ticks("election_tick")
	if h, e := out.HeartbeatTick, out.ElectionTick; h != nil && e != nil && *e <= *h {
		l.err(at, "Election before the heartbeat", fmt.Sprintf("election_tick is %d and heartbeat_tick %d: managers would elect a new leader before the old one could be heard.", *e, *h), "Make election_tick larger; ten times heartbeat_tick is usual.")
	}
	return out
}

// period is a duration that was declared, or nil.
func period(d time.Duration) *time.Duration {
	if d == 0 {
		return nil
	}
	return &d
}
