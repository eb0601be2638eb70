package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// sensitive marks a value that may be shown nowhere, unsetEnv one that is
// unknown because an environment variable is not set.
type (
	sensitiveMark struct{}
	unsetEnv      string
)

// scope is what an expression sees besides var and local.
type scope struct {
	each   *each
	noRefs bool // nothing at all, as in a variable's default
}

type each struct{ key, value cty.Value }

// eval evaluates an expression. False means that it failed and that this, or
// the failure of what it refers to, has been told.
func (l *loader) eval(expr hclsyntax.Expression, sc scope) (cty.Value, bool) {
	vars, locals := map[string]cty.Value{}, map[string]cty.Value{}
	ok := l.checkCalls(expr)
	for _, t := range expr.Variables() {
		ok = l.resolve(t, sc, vars, locals) && ok
	}
	if !ok {
		return cty.DynamicVal, false
	}
	ctx := &hcl.EvalContext{Functions: l.functions, Variables: map[string]cty.Value{
		"var": cty.ObjectVal(vars), "local": cty.ObjectVal(locals),
	}}
	if sc.each != nil {
		ctx.Variables["each"] = cty.ObjectVal(map[string]cty.Value{"key": sc.each.key, "value": sc.each.value})
	}
	v, ds := expr.Value(ctx)
	l.addEval(ds, expr, ctx)
	return v, !ds.HasErrors()
}

// resolve finds what one reference refers to.
func (l *loader) resolve(t hcl.Traversal, sc scope, vars, locals map[string]cty.Value) bool {
	root, at := t.RootName(), t.SourceRange()
	if root != "var" && root != "local" && root != "each" {
		l.err(at, "Unknown name", fmt.Sprintf("There is nothing called %s: expressions see var.NAME, local.NAME and, in a node with for_each, each.key and each.value.", root),
			l.rootRemedy(root))
		return false
	}
	if sc.noRefs {
		l.err(at, "Reference that has no place here", "A default is a value by itself: it can't refer to others.", "Write the value, or make it a local.")
		return false
	}
	name, ok := refName(t)
	if !ok {
		l.err(at, "Incomplete reference", fmt.Sprintf("%s by itself is not a value.", root), fmt.Sprintf("Write %s.NAME.", root))
		return false
	}
	switch root {
	case "var":
		return l.resolveVar(name, at, vars)
	case "local":
		return l.resolveLocal(name, at, locals)
	}
	return l.resolveEach(name, at, sc)
}

func (l *loader) rootRemedy(root string) string {
	switch n := nearest(root, []string{"var", "local", "each"}); {
	case l.variables[root] != nil:
		return fmt.Sprintf("Write var.%s for the variable, or %q for a text.", root, root)
	case l.localDefs[root] != nil:
		return fmt.Sprintf("Write local.%s for the local, or %q for a text.", root, root)
	case n != "":
		return fmt.Sprintf("Did you mean %s? A text stands in quotes: %q.", n, root)
	}
	return fmt.Sprintf("A text stands in quotes: %q.", root)
}

// refName is NAME of var.NAME or var["NAME"].
func refName(t hcl.Traversal) (string, bool) {
	if len(t) < 2 {
		return "", false
	}
	switch step := t[1].(type) {
	case hcl.TraverseAttr:
		return step.Name, true
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String && step.Key.IsKnown() && !step.Key.IsNull() {
			return step.Key.AsString(), true
		}
	}
	return "", false
}

func (l *loader) resolveVar(name string, at hcl.Range, vars map[string]cty.Value) bool {
	v := l.variables[name]
	if v == nil {
		if !l.broken {
			l.err(at, "Unknown variable", fmt.Sprintf("No variable %q is declared.", name), l.suggestOr(name, keysOf(l.variables), fmt.Sprintf("Declare it: variable %q { type = string }.", name)))
		}
		return false
	}
	vars[name] = v.value
	return !v.failed
}

func (l *loader) resolveLocal(name string, at hcl.Range, locals map[string]cty.Value) bool {
	if l.localDefs[name] == nil {
		if !l.broken {
			l.err(at, "Unknown local", fmt.Sprintf("No local %q is defined.", name), l.suggestOr(name, keysOf(l.localDefs), "Define it in a locals block."))
		}
		return false
	}
	v, ok := l.local(name)
	locals[name] = v
	return ok
}

func (l *loader) resolveEach(name string, at hcl.Range, sc scope) bool {
	switch {
	case sc.each == nil:
		l.err(at, "each has no meaning here", "each.key and each.value exist in a node block with for_each only.", "Add for_each to the node, or write the value itself.")
		return false
	case name != "key" && name != "value":
		l.err(at, "Unknown name", fmt.Sprintf("each has no %q.", name), suggest(name, []string{"key", "value"}))
		return false
	}
	return true
}

// suggestOr is suggest where something is near, else otherwise.
func (l *loader) suggestOr(name string, known []string, otherwise string) string {
	if nearest(name, known) != "" {
		return suggest(name, known)
	}
	return otherwise
}

// checkCalls tells of functions that do not exist.
func (l *loader) checkCalls(expr hclsyntax.Expression) bool {
	ok := true
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		call, is := n.(*hclsyntax.FunctionCallExpr)
		if !is {
			return nil
		}
		if why, is := leftOut[call.Name]; is {
			ok = false
			l.err(call.NameRange, "Function that is left out", fmt.Sprintf("There is no function %q: %s.", call.Name, why[0]), why[1])
			return nil
		}
		if _, known := l.functions[call.Name]; !known {
			ok = false
			l.err(call.NameRange, "Unknown function", fmt.Sprintf("There is no function %q.", call.Name),
				l.suggestOr(call.Name, keysOf(l.functions), "The reference page lists the functions."))
		}
		return nil
	})
	return ok
}

// field is an attribute's value: absent, present and wrong (which has been
// told), or ok. A sensitive one may be ok and not known.
type field[T any] struct {
	val         T
	at          hcl.Range
	present, ok bool
	known       bool
	sensitive   bool
}

// value evaluates an attribute as a type of cty; null is as if it were absent.
func (l *loader) value(c *content, name string, want cty.Type, sc scope) field[cty.Value] {
	a, spec := c.attrs[name], c.spec.attr(name)
	if a == nil {
		return field[cty.Value]{at: c.def}
	}
	f := field[cty.Value]{at: a.Expr.Range(), present: true}
	v, ok := l.eval(a.Expr, sc)
	if !ok {
		return f
	}
	f.sensitive = v.HasMarkDeep(sensitiveMark{})
	if f.sensitive && !spec.secret {
		l.sensitiveHere(f.at, name)
		return f
	}
	v, marks := v.UnmarkDeep()
	if v.IsNull() {
		if spec.required {
			l.missing(c, *spec, f.at)
			return f
		}
		return field[cty.Value]{at: f.at}
	}
	v, err := convert.Convert(v, want)
	if err != nil {
		why := err.Error()
		if f.sensitive {
			why = "the value has another type"
		}
		l.err(f.at, "Value of the wrong type", fmt.Sprintf("%s in %s: %s.", name, c.title(), why), fmt.Sprintf("Write a value that is: %s.", spec.typ))
		return f
	}
	f.known = v.IsWhollyKnown()
	if !f.known && !f.sensitive {
		l.unknownHere(f.at, name, marks)
		return f
	}
	f.val, f.ok = v, true
	return f
}

func (l *loader) str(c *content, name string, sc scope) field[string] {
	v := l.value(c, name, cty.String, sc)
	f := field[string]{at: v.at, present: v.present, ok: v.ok, known: v.known, sensitive: v.sensitive}
	if v.ok && v.known {
		f.val = v.val.AsString()
	}
	return f
}

func (l *loader) bool(c *content, name string, sc scope) field[bool] {
	v := l.value(c, name, cty.Bool, sc)
	f := field[bool]{at: v.at, present: v.present, ok: v.ok, known: v.known}
	if v.ok {
		f.val = v.val.True()
	}
	return f
}

// strs reads a list of texts; null items are refused.
func (l *loader) strs(c *content, name string, sc scope) field[[]string] {
	v := l.value(c, name, cty.List(cty.String), sc)
	f := field[[]string]{at: v.at, present: v.present, ok: v.ok, known: v.known}
	if !v.ok {
		return f
	}
	for it := v.val.ElementIterator(); it.Next(); {
		_, item := it.Element()
		if item.IsNull() {
			l.err(f.at, "Value of the wrong type", fmt.Sprintf("%s in %s has an item that is null.", name, c.title()), "Remove it.")
			f.ok = false
			return f
		}
		f.val = append(f.val, item.AsString())
	}
	return f
}

func (l *loader) sensitiveHere(at hcl.Range, name string) {
	l.err(at, "Sensitive value where it would be shown",
		fmt.Sprintf("%s is printed in plans and stored in plan files, and this value comes from env(), file(), sensitive() or a sensitive variable.", name),
		"Use a variable (RQ_VAR_name, -var or *.rqvars) for what is no secret, or say so with nonsensitive(…).")
}

// unknownHere tells why a value is not known where it has to be.
func (l *loader) unknownHere(at hcl.Range, name string, marks cty.ValueMarks) {
	var unset []string
	for m := range marks {
		if u, is := m.(unsetEnv); is {
			unset = append(unset, string(u))
		}
	}
	slices.Sort(unset)
	if len(unset) == 0 {
		l.err(at, "Value that is not known", fmt.Sprintf("%s rests on a value that is not known.", name), "Set the environment variables that this expression uses.")
		return
	}
	l.err(at, "Environment variable that is not set", fmt.Sprintf("%s rests on environment variables that are not set: %s.", name, strings.Join(unset, ", ")),
		fmt.Sprintf("Set %s in the environment.", list(unset)))
}

func keysOf[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
