package schema

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

var swarmSpec = &blockSpec{
	name: "swarm", count: "exactly one", required: true,
	doc: "Backs up the swarm's state: its raft log, certificates and keys.",
	attrs: []attrSpec{
		{name: "from", typ: `"follower" or a node's name`, def: `"follower"`, doc: "The manager whose state is copied.",
			misuse: []string{"a node that is not declared, is a worker, or has no connection"}},
		{name: "consistency", typ: `"stopped"`, def: `"stopped"`, doc: "The engine is stopped while its state is copied.",
			misuse: []string{"anything else"}},
	},
}

var backupSpec = &blockSpec{
	name: "backup", label: "the backup's name, by which its age is judged", count: "any number",
	doc: "A state to be in: a verified backup of the cluster, younger than max_age, is in the repository.",
	misuse: []string{
		"two backups with one name",
	},
	attrs: []attrSpec{
		{name: "repository", typ: "a repository's name", doc: "Where it is kept. Exactly one of repository and copies is given.",
			misuse: []string{"a repository that is not declared", "neither repository nor copies, or both"}},
		copiesAttr,
		{name: "max_age", typ: "duration", required: true, doc: "The age at which a new backup is due: " + durationForm + ".",
			misuse: []string{"no duration, or none at all long"}},
		{name: "unlock_key_escrow", typ: "bool", def: "false", doc: "Stores the unlock key of an auto-locked swarm beside each backup, encrypted to the recipients: whoever has the identity then needs nothing else to restore it. Without it the key of the backup's time has to be kept elsewhere; its fingerprint is in the manifest.",
			misuse: []string{"with a repository that has plaintext = true"}},
		hookAttrs[0], hookAttrs[1],
	},
	blocks: []*blockSpec{swarmSpec, volumeSpec, directorySpec, keepSpec, scheduleSpec},
	example: `backup "state" {
  repository = "offsite"
  max_age    = "24h"
  swarm { from = "follower" }
  keep {
    last    = 7
    daily   = 30
    monthly = 12
  }
}`,
}

// backupPlaces are what the checks over all blocks point at.
type backupPlaces struct {
	repository, from, escrow hcl.Range
	copies                   []hcl.Range
	schedule                 schedulePlaces
	data                     []dataPlaces // of Data
}

func (l *loader) readBackups() {
	first := map[string]hcl.Range{}
	for _, b := range l.blocks["backup"] {
		c := l.read(backupSpec, b)
		if c.name == "" || !l.goodName(c.name, c.label) || !l.once(first, c) {
			continue
		}
		out := Backup{Name: c.name, From: FromFollower, Consistency: ConsistencyStopped, Range: toRange(c.def)}
		var at backupPlaces
		if f := l.str(c, "repository", scope{}); f.ok {
			out.Repository, at.repository = f.val, f.at
		}
		l.readCopies(c, &out, &at)
		if f := l.str(c, "max_age", scope{}); f.ok {
			d, ok := l.duration(f, "max_age")
			if ok && d <= 0 {
				l.err(f.at, "Duration out of bounds", "max_age is longer than nothing.", "Write "+durationForm+".")
			}
			out.MaxAge = d
		}
		escrow := l.bool(c, "unlock_key_escrow", scope{})
		out.KeyEscrow, at.escrow = escrow.val, escrow.at
		if s := c.blocks["swarm"]; len(s) > 0 {
			l.readSwarm(l.read(swarmSpec, s[0]), &out, &at)
		}
		out.Data, at.data = l.readData(c)
		if k := c.blocks["keep"]; len(k) > 0 {
			out.Keep = l.readKeep(l.read(keepSpec, k[0]))
		}
		if s := c.blocks["schedule"]; len(s) > 0 {
			out.Schedule = l.readSchedule(l.read(scheduleSpec, s[0]), &at.schedule)
		}
		out.OnSuccess, out.OnFailure = l.hook(c, "on_success"), l.hook(c, "on_failure")
		l.cfg.Backups = append(l.cfg.Backups, out)
		l.backupAt[out.Name] = at
	}
}

func (l *loader) readSwarm(c *content, out *Backup, at *backupPlaces) {
	if f := l.str(c, "from", scope{}); f.ok {
		out.From, at.from = f.val, f.at
	}
	if f := l.str(c, "consistency", scope{}); f.ok && f.val != ConsistencyStopped {
		l.err(f.at, "Unknown consistency", fmt.Sprintf("%q is not one: a copy is taken of a stopped engine, or not at all.", f.val), fmt.Sprintf("Write consistency = %q, or leave it out.", ConsistencyStopped))
	}
}
