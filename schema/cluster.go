package schema

import (
	"fmt"
	"regexp"
	"strings"
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
		{name: "unlock_key", typ: "string", secret: true, doc: "The unlock key of an auto-locked swarm, needed only when no live manager can tell it. Always sensitive; an `env()` that is not set leaves it unknown, and only a step that needs it says so.",
			misuse: []string{"a text that is no unlock key (`SWMKEY-1-…`)", "a key written into the files is a warning"}},
	},
	example: `cluster "prod" {
  unlock_key = env("PROD_UNLOCK_KEY")
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
	if l.cfg.Cluster.Name == "" {
		l.cfg.Cluster = out
	}
}

func (l *loader) readUnlockKey(c *content) Secret {
	f := l.str(c, "unlock_key", scope{})
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
