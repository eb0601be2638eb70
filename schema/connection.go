package schema

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

var connectionSpec = &blockSpec{
	name: "connection", count: "at most one",
	doc: "How the node's host is reached. Without the block: ssh as root to the node's address.",
	misuse: []string{
		"two of ssh, local and none",
		"local on more than one node",
		"none on a manager is a warning: it can neither be looked at nor chosen",
	},
	attrs: []attrSpec{
		{name: "ssh", typ: "ssh target", def: "root@ and the node's address", doc: "`host`, `user@host`, `user@host:port`, `[v6]:port` or `ssh://user@host:port`; the host may be an alias of the operator's ssh configuration.",
			misuse: []string{"a target that begins with `-`, holds spaces or control characters, or looks like an option", "a password in the target"}},
		{name: "become", typ: `"sudo"`, def: "none: the user is root", doc: "Becomes root by `sudo -n`, which needs a NOPASSWD rule.",
			misuse: []string{"anything but sudo", "with none"}},
		{name: "local", typ: "bool", def: "false", doc: "The node is the machine on which requeen runs."},
		{name: "none", typ: "bool", def: "false", doc: "The host is not reached at all, as for workers that no step touches."},
	},
}

// readConnection reads the connection block c, nil where the node has none.
func (l *loader) readConnection(node, c *content, d *declared, sc scope) {
	out := &d.Connection
	out.Range, d.target = toRange(node.def), d.address
	if c == nil {
		l.defaultTarget(d)
		return
	}
	out.Range = toRange(c.def)
	ssh, local, none := l.str(c, "ssh", sc), l.bool(c, "local", sc), l.bool(c, "none", sc)
	become := l.str(c, "become", sc)
	out.Local, out.None, out.Become = local.val, none.val, become.val
	if become.ok && become.val != "sudo" {
		l.err(become.at, "Unknown way to become root", fmt.Sprintf("%q is not one; there is sudo.", become.val), `Write become = "sudo", or leave it out where the user is root.`)
	}
	if become.ok && none.val {
		l.err(become.at, "become without a connection", "With none = true nothing is run on the host.", "Remove one of the two.")
	}
	if l.twoWays(c, ssh, local, none) {
		out.Local, out.None = false, false // which of them is meant is not known
		return
	}
	if out.Local {
		d.target = local.at
	}
	switch {
	case !ssh.present && !out.Local && !out.None && (local.ok || !local.present) && (none.ok || !none.present):
		l.defaultTarget(d)
	case ssh.ok:
		d.target = ssh.at
		t, err := ParseTarget(ssh.val)
		if err != nil {
			l.err(ssh.at, "Not an ssh target", fmt.Sprintf("%q can't be connected to: %s.", ssh.val, err), `Write host, user@host, user@host:port, or ssh://user@host:port.`)
			return
		}
		out.SSH, d.okTarget = t, true
	}
}

func (l *loader) defaultTarget(d *declared) {
	if d.Address != "" {
		d.Connection.SSH = Target{User: "root", Host: d.Address}
		d.okTarget = true
	}
}

func (l *loader) twoWays(c *content, ssh field[string], local, none field[bool]) bool {
	var ways []string
	var last hcl.Range
	note := func(is bool, way string, at hcl.Range) {
		if is {
			ways, last = append(ways, way), at
		}
	}
	note(ssh.present, "ssh", ssh.at)
	note(local.val, "local", local.at)
	note(none.val, "none", none.at)
	if len(ways) < 2 {
		return false
	}
	l.err(last, "Two ways to one host", fmt.Sprintf("The connection has %s; a host is reached in one way.", list(ways)), "Keep one of them.")
	return true
}
