package schema

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

var validationSpec = &blockSpec{
	name: "validation", count: "any number", many: true,
	doc: "A rule for the variable's value.",
	attrs: []attrSpec{
		{name: "condition", typ: "bool", required: true, secret: true, doc: "Has to be true of the value; it sees variables and locals.",
			misuse: []string{"a condition that is no bool"}},
		{name: "error_message", typ: "string", required: true, secret: true, doc: "What is said where the condition is false."},
	},
}

var variableSpec = &blockSpec{
	name: "variable", label: "the variable's name", count: "any number",
	doc: "A value from outside, seen as `var.NAME`. Values come from the environment (`RQ_VAR_NAME`, lowest), from `requeen.rqvars`, " +
		"from `*.auto.rqvars` in the order of their names, and from `-var-file` and `-var`; the last one wins.",
	misuse: []string{
		"a variable that is declared twice",
		"a variable without a default that is given no value",
		"a value for a variable that is not declared, in a file or by -var",
	},
	attrs: []attrSpec{
		{name: "type", typ: "type", def: "any type; values of flags and the environment are texts", doc: "The values' type, such as `string`, `list(string)`, `map(object({ zone = string }))`.",
			misuse: []string{"a value that can't be converted to it"}},
		{name: "default", typ: "any", def: "none: a value has to be given", secret: true, doc: "The value that holds when none is given. It can't refer to other values.",
			misuse: []string{"a default that does not fit the type"}},
		{name: "description", typ: "string", doc: "What the variable is for."},
		{name: "sensitive", typ: "bool", def: "false", doc: "Treats the value as a secret: it is never shown, and may stand only where secrets may."},
	},
	blocks: []*blockSpec{validationSpec},
	example: `variable "dc" {
  type        = string
  default     = "ams"
  description = "The data centre, as in host names."
  validation {
    condition     = contains(["ams", "fra"], var.dc)
    error_message = "The data centre is ams or fra."
  }
}`,
}

type variable struct {
	name        string
	def         hcl.Range
	typ         cty.Type
	typed       bool // the block says a type
	optional    *typeexpr.Defaults
	sensitive   bool
	validations []*content

	value  cty.Value
	at     hcl.Range // where the value was given
	failed bool      // has no value; this has been told
}

func (l *loader) readVariables() {
	for _, b := range l.blocks["variable"] {
		c := l.read(variableSpec, b)
		if c.name == "" {
			continue
		}
		if !hclsyntax.ValidIdentifier(c.name) {
			l.err(c.label, "Bad name", fmt.Sprintf("%q can't be written as var.NAME.", c.name), "Use letters, digits and underscores, beginning with a letter.")
			continue
		}
		if first := l.variables[c.name]; first != nil {
			l.err(c.label, "Name used twice", fmt.Sprintf("The variable %q is declared at %s.", c.name, place(first.def)), "Rename one of them.")
			continue
		}
		l.variables[c.name] = l.readVariable(c)
	}
}

func (l *loader) readVariable(c *content) *variable {
	v := &variable{name: c.name, def: c.def, typ: cty.DynamicPseudoType, at: c.def, failed: true, value: cty.DynamicVal}
	for _, b := range c.blocks["validation"] {
		v.validations = append(v.validations, l.read(validationSpec, b))
	}
	l.str(c, "description", scope{noRefs: true})
	v.sensitive = l.bool(c, "sensitive", scope{noRefs: true}).val
	bad := false
	if a := c.attrs["type"]; a != nil {
		t, opt, ds := typeexpr.TypeConstraintWithDefaults(a.Expr)
		l.addHCL(ds)
		if bad = ds.HasErrors(); !bad {
			v.typ, v.optional, v.typed = t, opt, true
		}
	}
	a := c.attrs["default"]
	if a == nil || bad {
		l.badVars[c.name] = bad
		return v
	}
	v.at = a.Expr.Range()
	if val, ok := l.eval(a.Expr, scope{noRefs: true}); ok {
		l.assign(v, val, v.at)
	} else {
		l.badVars[c.name] = true
	}
	return v
}

// assign gives a variable a value of its type, or tells why it can't be one.
func (l *loader) assign(v *variable, val cty.Value, at hcl.Range) {
	v.at, v.failed = at, true
	if v.optional != nil && !val.IsNull() {
		plain, marks := val.UnmarkDeepWithPaths()
		val = v.optional.Apply(plain).MarkWithPaths(marks)
	}
	hidden := val.HasMarkDeep(sensitiveMark{})
	val, err := convert.Convert(val, v.typ)
	if err != nil {
		detail := fmt.Sprintf("The variable %q is declared as %s: %s.", v.name, typeexpr.TypeString(v.typ), err)
		remedy := "Give it a value of that type."
		if v.sensitive || hidden {
			l.errHidden(at, "Value of the wrong type", fmt.Sprintf("The sensitive variable %q is declared as %s; its value is something else.", v.name, typeexpr.TypeString(v.typ)), remedy)
		} else {
			l.err(at, "Value of the wrong type", detail, remedy)
		}
		l.badVars[v.name] = true
		return
	}
	if v.sensitive {
		val = l.secret(val)
	}
	v.value, v.failed = val, false
}

// needValues tells of the variables that have no value.
func (l *loader) needValues() {
	for _, name := range keysOf(l.variables) {
		v := l.variables[name]
		if v.failed && !l.badVars[name] && !l.brokenValues {
			l.err(v.def, "Variable without a value", fmt.Sprintf("%q has no default, and no value is given for it.", name),
				fmt.Sprintf("Set it in requeen.rqvars, by -var %s=…, by RQ_VAR_%s in the environment, or give it a default.", name, name))
		}
	}
}

// validate applies the variables' own rules, when every value is there.
func (l *loader) validate() {
	for _, name := range keysOf(l.variables) {
		v := l.variables[name]
		for _, c := range v.validations {
			if !v.failed {
				l.validateRule(v, c)
			}
		}
	}
}

func (l *loader) validateRule(v *variable, c *content) {
	cond := l.bool(c, "condition", scope{})
	if !cond.ok || cond.known && cond.val {
		return
	}
	if !cond.known {
		return
	}
	msg := l.value(c, "error_message", cty.String, scope{})
	text := "The value breaks the variable's rule."
	if msg.ok && msg.known {
		text = msg.val.AsString()
		if msg.sensitive {
			text = "The rule's message is sensitive, and not shown."
		}
	}
	detail := strings.TrimSpace(text)
	remedy := fmt.Sprintf("Give %q another value; the rule is at %s.", v.name, place(c.def))
	if v.sensitive {
		l.errHidden(v.at, "Value that its variable's rule refuses", detail, remedy)
		return
	}
	l.err(v.at, "Value that its variable's rule refuses", detail, remedy)
}
