package schema

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// HCL loses the marks of the key when it indexes an object, so that
// { a = "x", b = "y" }[substr(env("KEY"), 0, 1)] would tell the key letter by
// letter. keepKeyMarks puts them onto the collection, from where they reach the
// result. Every parsed expression goes through it once.
func keepKeyMarks(node hclsyntax.Node) {
	var found []*hclsyntax.IndexExpr
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		if x, is := n.(*hclsyntax.IndexExpr); is {
			found = append(found, x)
		}
		return nil
	})
	for _, x := range found {
		key := &keptKey{ParenthesesExpr: parenthesis(x.Key)}
		x.Collection = &markedCollection{ParenthesesExpr: parenthesis(x.Collection), key: key}
		x.Key = key
	}
}

// parenthesis makes an expression visible to walks through the one that wraps it.
func parenthesis(e hclsyntax.Expression) *hclsyntax.ParenthesesExpr {
	return &hclsyntax.ParenthesesExpr{Expression: e, SrcRange: e.Range()}
}

// markedCollection is a collection with the marks of the key that it is
// indexed by. HCL evaluates it right before the key, so the key's value is kept
// for that: evaluated twice a level, nested keys would take exponential time.
type markedCollection struct {
	*hclsyntax.ParenthesesExpr
	key *keptKey
}

// Value implements hcl.Expression.
func (m *markedCollection) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, ds := m.Expression.Value(ctx)
	k, kds := m.key.Expression.Value(ctx)
	m.key.kept = &keptValue{k, kds}
	_, marks := k.UnmarkDeep()
	return v.WithMarks(marks), ds
}

type keptValue struct {
	value cty.Value
	diags hcl.Diagnostics
}

type keptKey struct {
	*hclsyntax.ParenthesesExpr
	kept *keptValue
}

// Value implements hcl.Expression.
func (k *keptKey) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if kept := k.kept; kept != nil {
		k.kept = nil
		return kept.value, kept.diags
	}
	return k.Expression.Value(ctx)
}
