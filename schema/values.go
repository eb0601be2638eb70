package schema

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

const envPrefix = "RQ_VAR_"

// giveValues assigns the variables' values: environment, the directory's own
// variable files, then flags; the last one wins.
func (l *loader) giveValues() {
	given := map[string]func(){}
	for _, name := range keysOf(l.variables) {
		if text, set := l.environ[envPrefix+name]; set {
			l.asked(envPrefix + name)
			given[name] = l.textValue(l.variables[name], text, "environment variable "+envPrefix+name)
		}
	}
	for _, f := range l.varFiles {
		l.valuesOf(f, given)
	}
	for _, in := range l.inputs {
		if in.File != "" {
			if f, ok := l.readVarFile(in.File); ok {
				l.valuesOf(f, given)
			}
			continue
		}
		v := l.variables[in.Name]
		if v == nil {
			l.undeclared(in.Name, hcl.Range{Filename: "-var " + in.Name, Start: hcl.InitialPos, End: hcl.InitialPos})
			continue
		}
		given[in.Name] = l.textValue(v, in.Value, "-var "+in.Name)
	}
	for _, name := range keysOf(given) {
		given[name]()
	}
	l.needValues()
}

// inputList is what the flags give, in the order in which it counts.
func inputList(o Options) []Input {
	var out []Input
	for _, f := range o.VarFiles {
		out = append(out, Input{File: f})
	}
	for _, name := range keysOf(o.Vars) {
		out = append(out, Input{Name: name, Value: o.Vars[name]})
	}
	return append(out, o.Inputs...)
}

// textValue makes a value of a text that came by a flag or the environment: as
// it is where the type is a simple one, else as an expression.
func (l *loader) textValue(v *variable, text, from string) func() {
	return func() {
		l.src[from] = []byte(text)
		l.hidden[from] = v.sensitive
		whole := hcl.Range{Filename: from, Start: hcl.InitialPos, End: hcl.Pos{Line: 1, Column: 1 + len(text), Byte: len(text)}}
		if !v.typed || v.typ.IsPrimitiveType() {
			l.assign(v, cty.StringVal(text), whole)
			return
		}
		l.badVars[v.name], v.failed = true, true
		if len(text) > maxFile {
			l.errHidden(whole, "Value that is too long", fmt.Sprintf("The value of %q has more than %d bytes.", v.name, maxFile), "Put it into a file.")
			return
		}
		expr, ds := hclsyntax.ParseExpression([]byte(text), from, hcl.InitialPos)
		if l.addHCL(ds); ds.HasErrors() {
			return
		}
		if val, ok := l.constant(expr); ok {
			l.assign(v, val, whole)
		}
	}
}

// constant evaluates an expression that can't refer to anything.
func (l *loader) constant(expr hclsyntax.Expression) (cty.Value, bool) {
	v, ds := expr.Value(nil)
	l.addHCL(ds)
	return v, !ds.HasErrors()
}

// valuesOf takes the values of one variable file.
func (l *loader) valuesOf(f parsedFile, given map[string]func()) {
	for _, b := range f.body.Blocks {
		l.err(b.DefRange(), "Block in a variable file", "A variable file holds NAME = VALUE lines only.", "Put blocks into a *.rq.hcl file.")
	}
	for _, a := range sortedAttrs(f.body) {
		v := l.variables[a.Name]
		if v == nil {
			l.undeclared(a.Name, a.NameRange)
			continue
		}
		given[a.Name] = func() {
			l.badVars[v.name], v.failed = true, true
			from := len(l.diags)
			if val, ok := l.constant(a.Expr); ok {
				l.assign(v, val, a.Expr.Range())
			}
			for i := from; v.sensitive && i < len(l.diags); i++ {
				l.diags[i].Snippet = redacted // the line holds the value
			}
		}
	}
}

func (l *loader) undeclared(name string, at hcl.Range) {
	if l.broken {
		return
	}
	l.err(at, "Value for a variable that is not declared", fmt.Sprintf("No variable %q is declared.", name),
		l.suggestOr(name, keysOf(l.variables), fmt.Sprintf("Declare it (variable %q { }), or remove the value.", name)))
}

// readVarFile reads a file of -var-file, whose path is relative to the working
// directory.
func (l *loader) readVarFile(path string) (parsedFile, bool) {
	abs, err := filepath.Abs(path)
	name := path
	if err == nil {
		if rel, err := filepath.Rel(l.dir, abs); err == nil {
			name = filepath.ToSlash(rel)
		}
	}
	if i := slices.IndexFunc(l.varFiles, func(f parsedFile) bool { return f.name == name }); i >= 0 {
		return l.varFiles[i], true // it loads by itself as well; here it counts once more
	}
	if _, again := l.src[name]; again {
		f := parsedFile{name: name, body: l.parse(name, l.src[name])}
		return f, true
	}
	return l.readOne(name, abs)
}

// environMap is the environment as a map; the last of equal names counts.
func environMap(environ []string) map[string]string {
	out := make(map[string]string, len(environ))
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok && name != "" {
			out[name] = value
		}
	}
	return out
}

// isRegular tells whether a path is a file that can be read to its end.
func isRegular(info os.FileInfo) bool { return info.Mode().IsRegular() }
