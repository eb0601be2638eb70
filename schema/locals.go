package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

var localsSpec = &blockSpec{
	name: "locals", count: "any number", free: true,
	doc: "Names for values, seen by every expression as `local.NAME`. Each attribute is a local; locals may refer to variables and to each other, in any order and over all files.",
	misuse: []string{
		"a local that is defined twice",
		"locals that refer to each other in a circle (the path is shown)",
	},
	example: `locals {
  domain = "${var.dc}.example.com"
}`,
}

// localDef is one local and how far its evaluation is.
type localDef struct {
	attr  *hclsyntax.Attribute
	state int // 0 not yet, 1 in progress, 2 done
	value cty.Value
	ok    bool
}

func (l *loader) readLocals() {
	for _, b := range l.blocks["locals"] {
		c := l.read(localsSpec, b)
		for _, a := range sortedAttrs(b.Body) {
			if c.attrs[a.Name] == nil {
				continue
			}
			if first := l.localDefs[a.Name]; first != nil {
				l.err(a.NameRange, "Name used twice", fmt.Sprintf("The local %q is defined at %s.", a.Name, place(first.attr.NameRange)), "Rename one of them.")
				continue
			}
			l.localDefs[a.Name] = &localDef{attr: a}
		}
	}
}

// evalLocals evaluates every local, also those that nothing refers to, so that
// their mistakes are told.
func (l *loader) evalLocals() {
	for _, name := range keysOf(l.localDefs) {
		l.local(name)
	}
}

func (l *loader) local(name string) (cty.Value, bool) {
	d := l.localDefs[name]
	switch d.state {
	case 2:
		return d.value, d.ok
	case 1:
		circle := append(slices.Clone(l.localStack[slices.Index(l.localStack, name):]), name)
		l.err(d.attr.NameRange, "Locals refer to each other in a circle", "local."+strings.Join(circle, " → local."), "Break the circle: give one of them a value of its own.")
		return cty.DynamicVal, false
	}
	d.state = 1
	l.localStack = append(l.localStack, name)
	d.value, d.ok = l.eval(d.attr.Expr, scope{})
	l.localStack = l.localStack[:len(l.localStack)-1]
	d.state = 2
	return d.value, d.ok
}
