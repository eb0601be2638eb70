package schema

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

var nodeSpec = &blockSpec{
	name: "node", label: "the node's name in this configuration; under for_each a name for the block alone", count: "one or more",
	doc: "A node of the swarm, or with `for_each` several. The name is matched to a node of the swarm by what its host says, so it need not be a hostname.",
	misuse: []string{
		"two nodes with one name, one address or one ssh target, over all blocks and files",
		"no manager at all; an even number of managers and more than seven are warnings",
		"a node that is called follower",
	},
	attrs: []attrSpec{
		{name: "for_each", typ: "map or set of strings", def: "one node", doc: "Makes a node of every element; the node's name is `each.key`.",
			misuse: []string{"a list (use toset)", "a sensitive or unknown collection", "a key that can't be a name"}},
		{name: "address", typ: "IPv4 or IPv6 address", required: true, doc: "The static address that the node advertises.", effect: "A manager that advertises another one is demoted, leaves and joins again, one manager at a time.",
			misuse: []string{"a name, a network, an address with a port or zone", "an unspecified or multicast address"}},
		{name: "role", typ: `"manager" or "worker"`, required: true, doc: "What the node is in the swarm.", effect: "A declared host that is in no swarm joins in it, a worker is promoted, a manager demoted, with a quorum kept at each step.",
			misuse: []string{"anything else"}},
		{name: "availability", typ: `"active", "pause" or "drain"`, def: asItIs, doc: "Whether the node takes tasks: active does, pause keeps those that it has, drain gives them up.", effect: stepped,
			misuse: []string{"anything else"}},
		{name: "labels", typ: "map of strings", def: asItIs, doc: "All the labels that the node has in the swarm; `{}` means none.", effect: stepped + " `plan` warns where the loss of one zone (`labels.zone` of the managers) would lose the quorum.",
			misuse: []string{"a key that is empty, or holds a blank, a control character or `=`", "a value with control characters other than tab and newline", "a sensitive value: labels are shown"}},
	},
	blocks: []*blockSpec{connectionSpec, engineSpec},
	example: `node "m1" {
  address = "10.0.0.11"
  role    = "manager"
  labels  = { zone = "a" }
}

node "w" {
  for_each     = { w1 = "10.0.0.21", w2 = "10.0.0.22" }
  address      = each.value
  role         = "worker"
  availability = "active"
  connection { none = true }
}`,
}

// declared is a node with the places that the checks over all nodes point at.
type declared struct {
	Node
	name, address, target hcl.Range
	okTarget              bool
}

func (l *loader) readNodes() {
	for _, b := range l.blocks["node"] {
		c := l.read(nodeSpec, b)
		if c.name == "" {
			l.nodesUnknown = true
			continue
		}
		nested := l.readNested(c)
		if c.attrs["for_each"] == nil {
			if !l.goodName(c.name, c.label) {
				l.nodesUnknown = true
				continue
			}
			l.readNode(c, nested, c.name, c.label, scope{})
			continue
		}
		l.expand(c, nested)
	}
}

// nestedBlocks are a node's blocks, read once for all its instances.
type nestedBlocks struct{ connection, engine *content }

func (l *loader) readNested(c *content) nestedBlocks {
	one := func(s *blockSpec) *content {
		if b := c.blocks[s.name]; len(b) > 0 {
			return l.read(s, b[0])
		}
		return nil
	}
	return nestedBlocks{one(connectionSpec), one(engineSpec)}
}

// expand makes the instances of a node with for_each.
func (l *loader) expand(c *content, nested nestedBlocks) {
	a := c.attrs["for_each"]
	at := a.Expr.Range()
	v, ok := l.eval(a.Expr, scope{})
	if !ok || !l.iterable(v, at) {
		l.nodesUnknown = true
		return
	}
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if v.Type().IsSetType() {
			key = value
		}
		if key.IsNull() {
			l.nodesUnknown = true
			l.err(at, "for_each over a null", "A null can't be a node's name.", "Remove it from the set.")
			continue
		}
		name := key.AsString()
		at := keyRange(a.Expr, name)
		if !l.goodName(name, at) {
			l.nodesUnknown = true
			continue
		}
		l.readNode(c, nested, name, at, scope{each: &each{cty.StringVal(name), value}})
	}
}

func (l *loader) iterable(v cty.Value, at hcl.Range) bool {
	const remedy = `Write { name = value, … } or toset(["name", …]).`
	t := v.Type()
	switch {
	case v.HasMark(sensitiveMark{}):
		l.sensitiveHere(at, "for_each")
	case v.IsNull():
		l.err(at, "for_each over null", "for_each has no value.", remedy)
	case !v.IsKnown() || t.IsSetType() && !v.IsWhollyKnown():
		_, marks := v.UnmarkDeep()
		l.unknownHere(at, "for_each", marks)
	case t.IsMapType() || t.IsObjectType() || t.IsSetType() && t.ElementType() == cty.String:
		return true
	case t.IsSetType() && v.LengthInt() == 0:
		return true
	default:
		l.err(at, "for_each over the wrong type", fmt.Sprintf("for_each is a map or a set of strings, and this is a %s.", t.FriendlyName()), remedy)
	}
	return false
}

// keyRange is where a key stands in { key = value }, else the whole.
func keyRange(e hclsyntax.Expression, name string) hcl.Range {
	if o, ok := e.(*hclsyntax.ObjectConsExpr); ok {
		for _, item := range o.Items {
			k, ds := item.KeyExpr.Value(nil)
			if !ds.HasErrors() && k.Type() == cty.String && k.IsKnown() && !k.IsNull() && !k.IsMarked() && k.AsString() == name {
				return item.KeyExpr.Range()
			}
		}
	}
	return e.Range()
}

func (l *loader) readNode(c *content, nested nestedBlocks, name string, at hcl.Range, sc scope) {
	l.node = name
	defer func() { l.node = "" }()
	d := declared{Node: Node{Name: name, Range: toRange(c.def)}, name: at}
	if name == FromFollower {
		l.err(at, "Reserved name", `In a backup "follower" is the choice of any follower, so no node can be called that.`, "Give the node another name.")
	}
	if f := l.str(c, "address", sc); f.ok {
		d.address = f.at
		if addr, err := parseAddress(f.val); err != nil {
			l.err(f.at, "Not an address", fmt.Sprintf("%q is not an address: %s.", f.val, err), "Write the static IPv4 or IPv6 address that the node advertises, such as 10.0.0.11.")
		} else {
			d.Address = addr
		}
	}
	d.Role = l.readRole(c, sc)
	d.Availability = l.choice(c, "availability", "availability", []string{AvailabilityActive, AvailabilityPause, AvailabilityDrain}, sc)
	d.Labels = l.readLabels(c, sc)
	l.readConnection(c, nested.connection, &d, sc)
	d.Engine = l.readEngine(nested.engine, sc)
	l.nodes = append(l.nodes, d)
}

func (l *loader) readRole(c *content, sc scope) string {
	f := l.str(c, "role", sc)
	switch {
	case !f.ok:
		l.rolesUnknown = true
	case f.val != RoleManager && f.val != RoleWorker:
		l.rolesUnknown = true
		l.err(f.at, "Unknown role", fmt.Sprintf("%q is not a role.", f.val), suggest(f.val, []string{RoleManager, RoleWorker}))
		return ""
	}
	return f.val
}

// parseAddress gives an address in its canonical form.
func parseAddress(s string) (string, error) {
	a, err := netip.ParseAddr(s)
	if err != nil {
		if _, err := netip.ParsePrefix(s); err == nil {
			return "", fmt.Errorf("it is a network")
		}
		if _, err := netip.ParseAddrPort(s); err == nil {
			return "", fmt.Errorf("it has a port")
		}
		if strings.ContainsFunc(s, func(r rune) bool { return r > '9' }) && !strings.Contains(s, ":") {
			return "", fmt.Errorf("it looks like a name")
		}
		return "", fmt.Errorf("it is neither IPv4 nor IPv6")
	}
	a = a.Unmap()
	switch {
	case a.Zone() != "":
		return "", fmt.Errorf("it has a zone, which means nothing on another machine")
	case a.IsUnspecified():
		return "", fmt.Errorf("it stands for every address, and can't be advertised")
	case a.IsMulticast():
		return "", fmt.Errorf("it is a multicast address")
	}
	return a.String(), nil
}
