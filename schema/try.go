package schema

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// HCL's own try() and can() lose the marks of what they tried: whether
// can(regex("^S", env("KEY"))) holds is a bit of the key, and a configuration
// with enough of them could print all of it. These ones give a sensitive result
// whenever what they tried touches something sensitive.

func (l *loader) tryFunc() function.Function {
	return function.New(&function.Spec{
		VarParam: &function.Parameter{Name: "expressions", Type: customdecode.ExpressionClosureType},
		// Not found out by trying, or a try in a try would be tried twice a level.
		Type: function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return try(args) },
	})
}

func try(args []cty.Value) (cty.Value, error) {
	if len(args) == 0 {
		return cty.NilVal, errors.New("at least one argument is required")
	}
	marks := cty.ValueMarks{}
	var failed hcl.Diagnostics
	for _, arg := range args {
		c := customdecode.ExpressionClosureFromVal(arg)
		if touchesSensitive(c.Expression, c.EvalContext) {
			marks[sensitiveMark{}] = struct{}{}
		}
		v, ds := c.Value()
		if ds.HasErrors() {
			failed = append(failed, ds...)
			continue
		}
		if !v.IsWhollyKnown() {
			_, deep := v.UnmarkDeep()
			return cty.DynamicVal.WithMarks(marks, deep), nil
		}
		return v.WithMarks(marks), nil
	}
	if len(marks) > 0 {
		return cty.NilVal, errors.New("no expression succeeded; the reasons are not shown, because they would tell a sensitive value")
	}
	var b strings.Builder
	b.WriteString("no expression succeeded")
	for _, d := range failed {
		fmt.Fprintf(&b, "; %s: %s", d.Summary, strings.TrimSuffix(d.Detail, "."))
	}
	return cty.NilVal, errors.New(b.String())
}

func (l *loader) canFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "expression", Type: customdecode.ExpressionClosureType}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			c := customdecode.ExpressionClosureFromVal(args[0])
			marks := cty.ValueMarks{}
			if touchesSensitive(c.Expression, c.EvalContext) {
				marks[sensitiveMark{}] = struct{}{}
			}
			v, ds := c.Value()
			switch {
			case ds.HasErrors():
				return cty.False.WithMarks(marks), nil
			case !v.IsWhollyKnown():
				_, deep := v.UnmarkDeep()
				return cty.UnknownVal(cty.Bool).WithMarks(marks, deep), nil
			}
			return cty.True.WithMarks(marks), nil
		},
	})
}

// touchesSensitive tells whether the value of an expression, or whether it has
// one, can depend on something sensitive.
func touchesSensitive(expr hcl.Expression, ctx *hcl.EvalContext) bool {
	node, ok := expr.(hclsyntax.Expression)
	if !ok {
		return true
	}
	found := false
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, is := n.(*hclsyntax.FunctionCallExpr); is {
			switch call.Name {
			case "env", "file", "fileexists", "sensitive":
				found = true
			}
		}
		return nil
	})
	for _, t := range node.Variables() {
		found = found || traversesSensitive(t, ctx)
	}
	return found
}

// traversesSensitive follows a reference as far as it goes: it is sensitive if
// something on the way is, or if anything is in what it leads to.
func traversesSensitive(t hcl.Traversal, ctx *hcl.EvalContext) bool {
	for n := 1; n <= len(t); n++ {
		v, ds := t[:n].TraverseAbs(ctx)
		if ds.HasErrors() {
			return false
		}
		if v.HasMark(sensitiveMark{}) || n == len(t) && v.HasMarkDeep(sensitiveMark{}) {
			return true
		}
	}
	return false
}
