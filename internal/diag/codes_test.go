package diag

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// TestEveryConstantIsInTheTable reads codes.go: a code without a row would have
// no class, meaning or remedy.
func TestEveryConstantIsInTheTable(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	constants := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		id, _ := strconv.Unquote(literal.Value)
		if !strings.HasPrefix(id, "RQ") {
			return true
		}
		constants++
		if c, known := Lookup(id); !known || c.ID != id {
			t.Errorf("%s (%s) has no row", spec.Names[0].Name, id)
		}
		return true
	})
	if constants != len(Codes()) {
		t.Errorf("%d constants, %d rows", constants, len(Codes()))
	}
}

func TestClassesFitTheirNumbers(t *testing.T) {
	for _, c := range Codes() {
		if strings.HasPrefix(c.ID, "RQ2") != (c.Class == Refusal) && !strings.HasPrefix(c.ID, "RQ4") {
			t.Errorf("%s is a %s", c.ID, c.Class)
		}
	}
}
