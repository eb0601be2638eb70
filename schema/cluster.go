package schema

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// What the tables say of how a plan brings an attribute about.
const (
	asItIs   = "left as it is"
	stepped  = "Where the swarm has it otherwise, a step of the plan changes that."
	fixed    = "An engine fixes it when the swarm is made: `plan` names a difference and what it would take."
	joinedBy = "An engine keeps it for as long as it is in the swarm: what joins gets it, and `plan` names a difference and what it would take."
	ownTicks = "An engine goes by its own configuration (`swarm-raft-heartbeat-tick`, `swarm-raft-election-tick` in daemon.json), and warns where the swarm names others."
	// This one is of what a recovery uses as well.
	madeWith = joinedBy + " A recovery makes the new cluster with it."
)

var clusterSpec = &blockSpec{
	name: "cluster", label: "the cluster's name, which is also its directory in every repository", count: "exactly one",
	doc: "The swarm that this directory is about.",
	misuse: []string{
		"no cluster block, or more than one in all files together",
	},
	attrs: []attrSpec{
		{name: "id", typ: "string", def: "found on the hosts", doc: "The swarm's ID (`docker info`), where hosts or backups of several swarms could be mixed up.",
			misuse: []string{"anything but 25 lower-case letters and digits"}},
		{name: "autolock", typ: "bool", def: asItIs, doc: "Whether a manager needs the unlock key to start.", effect: stepped + " The unlock key that the swarm makes goes where `recovery { unlock_key_to }` says."},
		{name: "unlock_key", typ: "string", secret: true, doc: "The unlock key of an auto-locked swarm, needed only when no live manager can tell it. Always sensitive; an `env()` that is not set leaves it unknown, and only a step that needs it says so.",
			misuse: []string{"a text that is no unlock key (`SWMKEY-1-…`)", "a key written into the files is a warning", "with autolock = false a warning"}},
		{name: "prune_nodes", typ: "bool", def: "false", doc: "Nodes of the swarm that are not declared are to be removed.", effect: "A manager is demoted, tasks are taken off, and the entry is removed with force. While it can't be told which entry a declared node has, none is removed."},
		{name: "remove_down_after", typ: "duration", def: "never", doc: "How long a node is down before it is taken for dead: " + durationForm + ".", effect: "A declared node that the swarm sees down for longer, and whose host can't be reached by ssh, is removed with force, a manager demoted before. One that `recovery { assume_dead }` names stays listed.",
			misuse: []string{"less than a minute: a machine that restarts is down for longer"}},
		{name: "rebalance", typ: "list of strings", def: "none", doc: "The names of services that are to be spread again after nodes were added.", effect: "Each is updated with force at the end of a plan by which nodes that take tasks join. Until then such a node has the label io.requeen.rebalance, by which a plan that is made after a cut knows it.",
			misuse: []string{"what can't be a service's name, or a name that stands twice"}},
		{name: "listen_addr", typ: "address or interface, with or without a port", def: asItIs, doc: "Where managers listen: `0.0.0.0:2377`, `eth0`, `[::]:2377`; the port is 2377 where none is given.", effect: madeWith,
			misuse: []string{"a host's name, a port that is none", "one machine's address where several nodes are declared is a warning"}},
		{name: "data_path_addr", typ: "address or interface", def: asItIs, doc: "Where the traffic of overlay networks goes.", effect: madeWith,
			misuse: []string{"a port, an unspecified address", "one machine's address where several nodes are declared is a warning"}},
		{name: "data_path_port", typ: "number", def: asItIs, doc: "The UDP port of that traffic.", effect: fixed,
			misuse: []string{"anything but 1024 to 49151"}},
		{name: "default_addr_pool", typ: "list of IPv4 networks", def: asItIs, doc: "The networks out of which overlay networks get their subnets.", effect: fixed,
			misuse: []string{"a network that is none, is IPv6, has host bits set, or overlaps another", "an empty list"}},
		{name: "default_addr_pool_mask_length", typ: "number", def: asItIs + "; a new swarm has 24", doc: "The prefix length of those subnets.", effect: fixed,
			misuse: []string{"more than 29, or less than the prefix length of a pool (10.0.0.0/8 where none is given)"}},
	},
	blocks: []*blockSpec{settingsSpec},
	example: `cluster "prod" {
  autolock   = true
  unlock_key = env("PROD_UNLOCK_KEY")
  settings {
    task_history_limit = 3
    cert_expiry        = "30d"
  }
}`,
}

var swarmID = regexp.MustCompile(`^[0-9a-z]{25}$`)

func (l *loader) readCluster() {
	blocks := l.blocks["cluster"]
	if len(blocks) == 0 {
		if !l.broken {
			l.errFile("", "No cluster block", "A configuration is about one cluster, and names it.", `Add cluster "NAME" { } to one of the files.`)
		}
		return
	}
	for i, b := range blocks {
		c := l.read(clusterSpec, b)
		if i > 0 {
			l.err(c.def, "More than one cluster", fmt.Sprintf("A directory is one cluster; the first is at %s.", place(blocks[0].DefRange())), "Put the other cluster into a directory of its own.")
		}
		l.readClusterBlock(c)
	}
}

func (l *loader) readClusterBlock(c *content) {
	if c.name != "" {
		l.goodName(c.name, c.label)
	}
	out := Cluster{Name: c.name, Range: toRange(c.def)}
	id := l.str(c, "id", scope{})
	if id.ok && !swarmID.MatchString(id.val) {
		l.err(id.at, "Not a swarm's ID", fmt.Sprintf("%q is not 25 lower-case letters and digits.", id.val), "Take it from docker info (Swarm, ClusterID), or leave it out.")
	}
	out.ID = id.val
	out.UnlockKey = l.readUnlockKey(c)
	l.readAutolock(c, &out)
	out.PruneNodes = l.bool(c, "prune_nodes", scope{}).val
	out.RemoveDownAfter = l.atLeast(c, "remove_down_after", time.Minute, "a machine that restarts is down for longer")
	out.Rebalance = l.readRebalance(c)
	l.readNetwork(c, &out)
	out.Settings = l.readSettings(c)
	if l.cfg.Cluster.Name == "" {
		l.cfg.Cluster = out
	}
}

func (l *loader) readAutolock(c *content, out *Cluster) {
	f := l.bool(c, "autolock", scope{})
	if !f.ok {
		return
	}
	out.Autolock = &f.val
	if !f.val && out.UnlockKey.Set() {
		l.warn(f.at, "Unlock key of a swarm that is not auto-locked", "With autolock = false a manager needs no key to start, and unlock_key opens nothing once that holds.", "Remove unlock_key when no manager is locked any more.")
	}
}

// serviceName is what swarm takes for a service's name.
var serviceName = regexp.MustCompile(`^[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*$`)

func (l *loader) readRebalance(c *content) []string {
	f := l.strs(c, "rebalance", scope{})
	l.onceEach(c, "rebalance", f)
	for i, s := range f.val {
		if len(s) > 63 || !serviceName.MatchString(s) {
			l.err(itemRange(c.attrs["rebalance"].Expr, i, len(f.val)), "Not a service's name", fmt.Sprintf("%q can't be the name of a service.", s), "Write the name as docker service ls shows it, such as web or db_postgres.")
		}
	}
	return f.val
}

func (l *loader) readUnlockKey(c *content) Secret {
	l.unneeded++ // a backup is made where a live manager tells it
	f := l.str(c, "unlock_key", scope{})
	l.unneeded--
	if !f.ok {
		return Secret{}
	}
	key := NewSecret(f.val)
	if !f.known || key.Reveal() == "" {
		return UnknownSecret()
	}
	if !strings.HasPrefix(key.Reveal(), "SWMKEY-1-") || strings.ContainsAny(key.Reveal(), " \t\r\n") {
		l.errHidden(f.at, "Not an unlock key", "An unlock key begins with SWMKEY-1- and is one word.", "Take it from docker swarm unlock-key -q on a manager.")
		return key
	}
	if !f.sensitive {
		l.warn(f.at, "Unlock key that is not sensitive", "It is written where it can be read, in these files or in a variable that is shown.", `Use env("…"), file("…") or a variable with sensitive = true, and rotate the key if the files are in git.`)
		l.diags[len(l.diags)-1].Snippet = redacted
		l.secret(stringVal(key.Reveal()))
	}
	return key
}
