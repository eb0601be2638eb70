package schema

import (
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/requeen/requeen/internal/diag"
)

// Console evaluates single expressions, which see a configuration's variables
// and locals and every function.
type Console struct{ l *loader }

// consoleFile is what the diagnostics call a line of the console.
const consoleFile = "<console>"

// OpenConsole reads the variables and locals of the configuration in dir, which
// may hold none. Mistakes of the configuration are told, and leave the console
// usable for what does not depend on them.
func OpenConsole(dir string, opts Options) (c *Console, ds diag.Diagnostics) {
	l := newLoader(opts)
	c = &Console{l}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return c, diag.From(err)
	}
	l.dir, l.cfg.Dir = abs, abs
	if found, _ := filepath.Glob(filepath.Join(abs, "*"+configSuffix)); len(found) == 0 && len(opts.Inputs) == 0 {
		if _, err := os.Stat(abs); err == nil {
			return c, nil
		}
	}
	if l.readDir() {
		for _, f := range l.configs {
			l.sortBlocks(f)
		}
		l.readVariables()
		l.readLocals()
		l.giveValues()
		l.addSyntax()
		l.evalLocals()
		l.validate()
	}
	ds = l.finish()
	l.diags = nil
	return c, ds
}

// Eval evaluates an expression and gives its value as HCL writes it. A value
// that is or holds something sensitive is shown as (sensitive), one that is not
// known as (not known).
func (c *Console) Eval(text string) (value string, ds diag.Diagnostics) {
	defer func() {
		c.l.diags = nil
		if recover() != nil { // its value may hold anything that was evaluated
			value, ds = "", diag.Diagnostics{{Severity: diag.Error, Summary: "The expression can't be evaluated",
				Detail: "This is a mistake in requeen, not in the expression.", Remedy: "Please report it with the expression, without its secrets."}}
		}
	}()
	l := c.l
	l.src[consoleFile] = []byte(text)
	expr, syntax := hclsyntax.ParseExpression([]byte(text), consoleFile, hcl.InitialPos)
	l.addHCL(syntax)
	if syntax.HasErrors() {
		return "", l.finish()
	}
	v, ok := l.eval(expr, scope{})
	if !ok {
		return "", l.finish()
	}
	return written(v), nil
}

func written(v cty.Value) string {
	plain, marks := v.UnmarkDeep()
	for m := range marks {
		if _, secret := m.(sensitiveMark); secret {
			return "(sensitive)"
		}
	}
	if !plain.IsWhollyKnown() {
		return "(not known)"
	}
	return string(hclwrite.Format(hclwrite.TokensForValue(plain).Bytes()))
}

// Incomplete tells whether an expression goes on in a further line: a bracket
// or a text that begins in it is open.
func Incomplete(text string) bool {
	tokens, _ := hclsyntax.LexExpression([]byte(text), consoleFile, hcl.InitialPos)
	open := 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOParen, hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOHeredoc:
			open++
		case hclsyntax.TokenCParen, hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCHeredoc:
			open--
		}
	}
	return open > 0
}
