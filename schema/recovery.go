package schema

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

var unlockKeyToSpec = &blockSpec{
	name: "unlock_key_to", count: "at most one",
	doc: "Where a rotated unlock key goes. Exactly one of file and command is given. Without the block no key is made anew: one that nobody kept would lock every manager out.",
	misuse: []string{
		"neither file nor command, or both",
	},
	attrs: []attrSpec{
		{name: "file", typ: "path", doc: "A file that is written with mode 0600, relative to the configuration's directory. It holds the key encrypted to the recipients of the repository that the recovery uses, or else of another; where no repository has any, no key is made anew. What it held before is kept beside it, as `FILE.before-RECOVERY`.",
			misuse: []string{"a path that begins with `~`, or holds control characters"}},
		{name: "command", typ: "string", doc: "A shell command, run where requeen runs, that reads the key, a line, on its standard input. What it writes is shown only where it fails, without the key. It may run again with the same key after a run was cut.",
			misuse: []string{"an empty command, or one of several lines"}},
	},
}

var recoverySpec = &blockSpec{
	name: "recovery", count: "at most one",
	doc: "What may be done to bring a broken swarm back.",
	misuse: []string{
		"a restore_onto that is among assume_dead, or that is given where allow leaves restore out",
		"all managers among assume_dead",
		"rotate_unlock_key in a cluster with autolock = false",
	},
	attrs: []attrSpec{
		{name: "allow", typ: "list of strings", def: "`start` and `unlock`", doc: "The rungs of the ladder that a recovery may take: `start` (stopped engines), `unlock` (locked managers), `force_new_cluster` (out of the best survivor), `restore` (out of a backup, also where it is asked for with plan -restore). The lowest that brings the swarm back is planned; where only one that is missing here would, the plan says so. `start` and `unlock` are also what a plan needs to bring single nodes back into a swarm that answers.",
			misuse: []string{"anything else, or a word that stands twice"}},
		{name: "assume_dead", typ: "list of nodes' names", def: "none", doc: "Nodes that can't be reached and are gone for good: you say so, since nobody can look. A forced or restored cluster needs that of every manager that can't be fenced, here or by approving RQ121. One that answers after all stops the run all the same.",
			misuse: []string{"a node that is not declared, or stands twice"}},
		{name: "restore_onto", typ: "a node's name", def: "the host that the backup was taken on", doc: "The manager that a backup is restored onto; plan -onto goes before it.",
			misuse: []string{"a node that is not declared, is a worker, or has no connection"}},
		{name: "rotate_join_tokens", typ: "bool", def: "after a restore", doc: "Whether a recovery that makes a new cluster ends by making the join tokens anew: those of a backup's time would let in again whoever has them."},
		{name: "rotate_unlock_key", typ: "bool", def: "after a restore", doc: "Whether a recovery that makes a new cluster of an auto-locked swarm ends by making the unlock key anew, where unlock_key_to has a place for it; where it has none, the plan says that the key stays the old one."},
		{name: "verify", typ: "list of strings", def: "none", doc: "Shell commands, run where requeen runs in the configuration's directory, that have to succeed before a recovery counts as done: in their order, five minutes each, after all that the recovery changes and before its backup. Each is a step of the plan, and what runs is what was reviewed there. They get `RQ_CLUSTER`, `RQ_RECOVERY` (its ID), `RQ_MANAGER` and `RQ_MANAGER_ADDRESS` in their environment; what they write is shown. One that fails ends the run, the swarm stays as it is, and `requeen apply` goes on with it; where the journal is lost, a swarm that answers has nothing to recover, and no plan demands them again.",
			misuse: []string{"an empty command, or one of several lines"}},
	},
	blocks: []*blockSpec{unlockKeyToSpec},
	example: `recovery {
  allow        = ["start", "unlock", "restore"]
  restore_onto = "m1"
}`,
}

// recoveryPlaces are what the checks over all nodes point at.
type recoveryPlaces struct {
	allow, onto, rotateKey hcl.Range
	dead                   []hcl.Range // in the order of AssumeDead as written
	deadNames              []string
}

func (l *loader) readRecovery() {
	blocks := l.blocks["recovery"]
	for i, b := range blocks {
		c := l.read(recoverySpec, b)
		if i > 0 {
			l.err(c.def, "More than one recovery block", fmt.Sprintf("A cluster has one; the first is at %s.", place(blocks[0].DefRange())), "Put everything into one of them.")
		}
		r, at := l.readRecoveryBlock(c)
		if i == 0 {
			l.cfg.Recovery, l.recoveryAt = r, at
		}
	}
}

func (l *loader) readRecoveryBlock(c *content) (*Recovery, recoveryPlaces) {
	r, at := &Recovery{Range: toRange(c.def)}, recoveryPlaces{}
	if f := l.strs(c, "allow", scope{}); f.ok {
		at.allow = f.at
		r.Allow = l.readAllow(c, f)
	}
	dead := l.strs(c, "assume_dead", scope{})
	l.onceEach(c, "assume_dead", dead)
	for i := range dead.val {
		at.dead = append(at.dead, itemRange(c.attrs["assume_dead"].Expr, i, len(dead.val)))
	}
	at.deadNames = dead.val
	r.AssumeDead = slices.Sorted(slices.Values(dead.val))
	if f := l.str(c, "restore_onto", scope{}); f.ok {
		r.RestoreOnto, at.onto = f.val, f.at
	}
	if f := l.bool(c, "rotate_join_tokens", scope{}); f.ok {
		r.RotateJoinTokens = &f.val
	}
	if f := l.bool(c, "rotate_unlock_key", scope{}); f.ok {
		r.RotateUnlockKey, at.rotateKey = &f.val, f.at
	}
	verify := l.strs(c, "verify", scope{})
	for i, s := range verify.val {
		l.checkCommand(s, itemRange(c.attrs["verify"].Expr, i, len(verify.val)))
	}
	r.Verify = verify.val
	if b := c.blocks["unlock_key_to"]; len(b) > 0 {
		r.UnlockKeyTo = l.readUnlockKeyTo(l.read(unlockKeyToSpec, b[0]))
	}
	return r, at
}

func (l *loader) readAllow(c *content, f field[[]string]) []string {
	known := []string{AllowStart, AllowUnlock, AllowForceNewCluster, AllowRestore}
	l.onceEach(c, "allow", f)
	for i, s := range f.val {
		if !slices.Contains(known, s) {
			l.err(itemRange(c.attrs["allow"].Expr, i, len(f.val)), "Unknown kind of recovery", fmt.Sprintf("%q can't be allowed: there is no such thing.", s), suggest(s, known))
		}
	}
	return append([]string{}, slices.Sorted(slices.Values(f.val))...)
}

func (l *loader) checkCommand(s string, at hcl.Range) bool {
	if shellLine(s) {
		return true
	}
	l.err(at, "Not a command", "A command is one line that is not empty.", "Write one command, or the path of a script.")
	return false
}

func (l *loader) readUnlockKeyTo(c *content) UnlockKeyTo {
	var out UnlockKeyTo
	file, command := l.str(c, "file", scope{}), l.str(c, "command", scope{})
	switch {
	case file.present && command.present:
		l.err(command.at, "Two places for one key", "unlock_key_to has both file and command.", "Keep one of them.")
	case !file.present && !command.present && !c.meant["file"] && !c.meant["command"] && !l.brokenFile[c.def.Filename]:
		l.err(c.def, "No place for the key", "unlock_key_to has neither file nor command.", `Write file = "PATH" or command = "…".`)
	}
	if file.ok {
		switch p := file.val; {
		case strings.HasPrefix(p, "~"):
			l.err(file.at, "Path that a shell would expand", "A ~ has no meaning here.", "Write the path itself.")
		case p == "" || printable(p) != p || strings.ContainsAny(p, "\n\t"):
			l.err(file.at, "Not a path", "A path is not empty and holds no control characters.", "Name the file that the key is written to.")
		case filepath.IsAbs(p):
			out.File = filepath.Clean(p)
		default:
			out.File = filepath.Join(l.dir, p)
		}
	}
	if command.ok && l.checkCommand(command.val, command.at) {
		out.Command = command.val
	}
	return out
}

// checkRecovery looks at what the recovery block says of the nodes.
func (l *loader) checkRecovery() {
	r, at := l.cfg.Recovery, l.recoveryAt
	if r == nil {
		return
	}
	dead := map[string]bool{}
	for i, name := range at.deadNames {
		dead[name] = true
		if l.cfg.Node(name) == nil {
			l.unknownNode(name, at.dead[i], RoleManager, RoleWorker)
		}
	}
	l.checkRestoreOnto(r, at, dead)
	mayRestore := r.Allow == nil || slices.Contains(r.Allow, AllowRestore)
	if at.onto.Filename != "" && !mayRestore {
		l.err(at.onto, "Target of a restore that is not allowed", fmt.Sprintf("restore_onto names a target, and allow at line %d leaves %q out.", at.allow.Start.Line, AllowRestore), "Allow it, or remove restore_onto.")
	}
	if a := l.cfg.Cluster.Autolock; r.RotateUnlockKey != nil && *r.RotateUnlockKey && a != nil && !*a {
		l.err(at.rotateKey, "Unlock key of a swarm that is not auto-locked", "The cluster block says autolock = false, so there is no unlock key to rotate.", "Remove one of the two.")
	}
	l.checkAllDead(at, dead)
}

// checkAllDead tells of a recovery that nobody is left for: a survivor to force
// and a manager to restore onto are both among the managers.
func (l *loader) checkAllDead(at recoveryPlaces, dead map[string]bool) {
	managers, gone := 0, 0
	for _, d := range l.nodes {
		if d.Role == RoleManager {
			managers++
			if dead[d.Name] {
				gone++
			}
		}
	}
	if managers == 0 || gone < managers || l.broken || l.nodesUnknown || l.rolesUnknown {
		return
	}
	l.err(at.dead[0], "All managers assumed dead", "No declared manager would be left, neither to recover from nor to restore onto.", "Declare the machine that takes over as a manager, or leave one of them out of assume_dead.")
}

func (l *loader) checkRestoreOnto(r *Recovery, at recoveryPlaces, dead map[string]bool) {
	if at.onto.Filename == "" {
		return
	}
	n := l.cfg.Node(r.RestoreOnto)
	switch {
	case n == nil:
		l.unknownNode(r.RestoreOnto, at.onto, RoleManager)
	case n.Role == RoleWorker:
		l.err(at.onto, "Restore onto a worker", fmt.Sprintf("%q is declared as a worker, and only managers hold the swarm's state.", n.Name), "Name a manager.")
	case dead[n.Name]:
		l.err(at.onto, "Restore onto a node that is assumed dead", fmt.Sprintf("%q is named in assume_dead as well.", n.Name), "Remove it from one of the two.")
	case n.Connection.None:
		l.err(at.onto, "Restore onto a node that can't be reached", fmt.Sprintf("%q has connection { none = true }.", n.Name), "Give it a connection, or name another manager.")
	}
}

// unknownNode tells of a node that is not declared, and suggests one with one
// of the roles.
func (l *loader) unknownNode(name string, at hcl.Range, roles ...string) {
	if l.broken || l.nodesUnknown {
		return
	}
	var known []string
	for _, n := range l.cfg.Nodes {
		if slices.Contains(roles, n.Role) {
			known = append(known, n.Name)
		}
	}
	l.err(at, "Unknown node", fmt.Sprintf("No node %q is declared.", name), suggest(name, known))
}
