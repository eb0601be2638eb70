package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// attrSpec is one attribute's row of the one table that the decoder, the
// suggestions and the reference page read.
type attrSpec struct {
	name     string
	typ      string // as the reference says it
	required bool
	def      string   // what holds without it, as the reference says it
	secret   bool     // a sensitive value may stand here
	doc      string   // sentences for the reference
	effect   string   // what plan and apply make of it, where that is not all; a sentence for the reference
	misuse   []string // what is refused, for the reference
}

// blockSpec is a block's table.
type blockSpec struct {
	name     string
	label    string // what the label is; "" = the block has none
	count    string // how many, as the reference says it
	required bool   // as a nested block
	many     bool   // as a nested block
	free     bool   // any attribute name will do, as in locals
	doc      string
	effect   string // as of attrSpec
	misuse   []string
	attrs    []attrSpec
	blocks   []*blockSpec
	notes    func() string // more for the reference page, as Markdown; nil = none
	example  string        // an example that loads, for the reference; top-level blocks only
}

func (s *blockSpec) attr(name string) *attrSpec {
	for i := range s.attrs {
		if s.attrs[i].name == name {
			return &s.attrs[i]
		}
	}
	return nil
}

func (s *blockSpec) block(name string) *blockSpec {
	for _, b := range s.blocks {
		if b.name == name {
			return b
		}
	}
	return nil
}

// names gives the attributes and blocks that may stand in the block.
func (s *blockSpec) names() []string {
	var list []string
	for _, a := range s.attrs {
		list = append(list, a.name)
	}
	for _, b := range s.blocks {
		list = append(list, b.name)
	}
	return list
}

// title names the block in a sentence: node "m1", connection.
func (c *content) title() string {
	if c.name == "" {
		return c.spec.name
	}
	return fmt.Sprintf("%s %q", c.spec.name, c.name)
}

// content is a block's body, sorted by its table.
type content struct {
	spec   *blockSpec
	name   string          // the label
	meant  map[string]bool // what was misspelt or written as the other kind, and so isn't missing
	def    hcl.Range       // the block's first line
	label  hcl.Range       // of the label, or of the block's type
	attrs  map[string]*hclsyntax.Attribute
	blocks map[string][]*hclsyntax.Block
}

// read sorts a block by its table and tells of everything that the table has
// no place for and of everything that it asks for in vain.
func (l *loader) read(spec *blockSpec, b *hclsyntax.Block) *content {
	c := &content{
		spec: spec, def: b.DefRange(), label: b.TypeRange,
		attrs: map[string]*hclsyntax.Attribute{}, blocks: map[string][]*hclsyntax.Block{}, meant: map[string]bool{},
	}
	l.readBlockLabels(c, b)
	for _, a := range sortedAttrs(b.Body) {
		switch {
		case spec.free, spec.attr(a.Name) != nil:
			c.attrs[a.Name] = a
		case spec.block(a.Name) != nil:
			c.meant[a.Name] = true
			l.err(a.NameRange, "A block is written as an attribute", fmt.Sprintf("In %s blocks %q is a block of its own.", spec.name, a.Name),
				fmt.Sprintf("Write %s { … } without the equals sign.", a.Name))
		default:
			l.unknownName(c, "attribute", a.Name, a.NameRange)
		}
	}
	for _, n := range b.Body.Blocks {
		switch {
		case spec.block(n.Type) != nil:
			c.blocks[n.Type] = append(c.blocks[n.Type], n)
		case spec.attr(n.Type) != nil:
			c.meant[n.Type] = true
			l.err(n.TypeRange, "An attribute is written as a block", fmt.Sprintf("In %s blocks %q is an attribute.", spec.name, n.Type),
				fmt.Sprintf("Write %s = … with an equals sign.", n.Type))
		default:
			l.unknownName(c, "block", n.Type, n.TypeRange)
		}
	}
	l.readRequired(c)
	return c
}

func (l *loader) readBlockLabels(c *content, b *hclsyntax.Block) {
	spec := c.spec
	want := 0
	if spec.label != "" {
		want = 1
	}
	if len(b.Labels) > want {
		detail := fmt.Sprintf("%s blocks have no label.", spec.name)
		if want == 1 {
			detail = fmt.Sprintf("%s blocks have one label: %s.", spec.name, spec.label)
		}
		l.err(b.LabelRanges[want], "Label that has no place", detail, "Remove it.")
	}
	if want == 0 {
		return
	}
	if len(b.Labels) == 0 {
		l.err(b.DefRange(), "Label missing", fmt.Sprintf("%s blocks have a label: %s.", spec.name, spec.label),
			fmt.Sprintf("Write %s \"…\" { with a name of your choice.", spec.name))
		return
	}
	c.name, c.label = b.Labels[0], b.LabelRanges[0]
}

func (l *loader) readRequired(c *content) {
	for _, n := range c.spec.blocks {
		have := c.blocks[n.name]
		if len(have) > 1 && !n.many {
			l.err(have[1].DefRange(), "Block given twice", fmt.Sprintf("%s has one %s block; the first is at %s.", c.title(), n.name, place(have[0].DefRange())),
				"Put everything into one of them.")
			c.blocks[n.name] = have[:1]
		}
		if len(have) == 0 && n.required && !c.meant[n.name] && !l.brokenFile[c.def.Filename] {
			l.err(c.def, "Block missing", fmt.Sprintf("%s has no %s block. %s", c.title(), n.name, n.doc), fmt.Sprintf("Add %s { } to it.", n.name))
		}
	}
	for _, a := range c.spec.attrs {
		if a.required && c.attrs[a.name] == nil && !c.meant[a.name] && !l.brokenFile[c.def.Filename] {
			l.missing(c, a, c.def)
		}
	}
}

func (l *loader) missing(c *content, a attrSpec, at hcl.Range) {
	l.err(at, "Attribute missing", fmt.Sprintf("%s has no %s. %s", c.title(), a.name, a.doc),
		fmt.Sprintf("Add %s = … (%s).", a.name, a.typ))
}

func (l *loader) unknownName(c *content, what, name string, at hcl.Range) {
	c.meant[nearest(name, c.spec.names())] = true
	l.err(at, "Unknown "+what, fmt.Sprintf("%s blocks have no %s %q.", c.spec.name, what, name), suggest(name, c.spec.names()))
}

func sortedAttrs(b *hclsyntax.Body) []*hclsyntax.Attribute {
	list := make([]*hclsyntax.Attribute, 0, len(b.Attributes))
	for _, a := range b.Attributes {
		list = append(list, a)
	}
	slices.SortFunc(list, func(x, y *hclsyntax.Attribute) int {
		if n := strings.Compare(x.NameRange.Filename, y.NameRange.Filename); n != 0 {
			return n
		}
		return x.NameRange.Start.Byte - y.NameRange.Start.Byte
	})
	return list
}
