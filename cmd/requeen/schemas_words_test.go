package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// sourceWords are the comments of the types that are encoded: what the source says
// of a field is what the schema says of it.
type sourceWords struct {
	types     map[string]string // by "plan.Step"
	fields    map[string]string // by "plan.Step.Node"
	constants map[string][]constant
}

// constant is a value of a named string type.
type constant struct{ name, value, text string }

// jsonField is a field as it is encoded.
type jsonField struct {
	reflect.StructField
	json     string
	optional bool   // left out where it is empty
	owner    string // "plan.Step"
	pkg      string
	siblings map[string]string // the names of all fields of its struct, in Go and in JSON
}

// jsonFields are the fields of a struct and of those that are embedded in it, in
// their order.
func jsonFields(t reflect.Type) []jsonField {
	var list []jsonField
	siblings := map[string]string{}
	owner := nameOf(t)
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			list = append(list, jsonFields(f.Type)...)
			continue
		}
		if !f.IsExported() || name == "-" {
			continue
		}
		siblings[f.Name] = name
		list = append(list, jsonField{StructField: f, json: name, owner: owner, pkg: owner[:strings.Index(owner, ".")],
			optional: strings.Contains(options, "omit"), siblings: siblings})
	}
	return list
}

// readWords parses the packages whose types are encoded.
func readWords(t *testing.T) *sourceWords {
	t.Helper()
	w := &sourceWords{types: map[string]string{}, fields: map[string]string{}, constants: map[string][]constant{}}
	for _, dir := range []string{"plan", "apply", "internal/state", "internal/state/statefile", "internal/view", "internal/diag", "internal/specdiff", "cmd/requeen"} {
		pkgs, err := parser.ParseDir(token.NewFileSet(), "../../"+dir, func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, pkg := range pkgs {
			for _, file := range pkg.Files {
				w.file(path.Base(dir), file)
			}
		}
	}
	for key := range fieldWords {
		if _, there := w.fields[key]; !there {
			t.Errorf("fieldWords describes %s, which is not there", key)
		}
	}
	return w
}

func (w *sourceWords) file(pkg string, file *ast.File) {
	for _, d := range file.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range decl.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				w.types[pkg+"."+s.Name.Name] = plainWords(oneLine(decl.Doc.Text() + s.Doc.Text()))
				if body, ok := s.Type.(*ast.StructType); ok {
					w.structure(pkg+"."+s.Name.Name, body)
				}
			case *ast.ValueSpec:
				w.constant(pkg, s)
			}
		}
	}
}

func (w *sourceWords) structure(name string, body *ast.StructType) {
	for _, f := range body.Fields.List {
		for _, n := range f.Names {
			w.fields[name+"."+n.Name] = oneLine(f.Doc.Text() + " " + f.Comment.Text())
		}
	}
}

// constant takes a constant of a named type with its text.
func (w *sourceWords) constant(pkg string, s *ast.ValueSpec) {
	of, named := s.Type.(*ast.Ident)
	if !named || len(s.Values) != 1 {
		return
	}
	lit, ok := s.Values[0].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return
	}
	value, err := strconv.Unquote(lit.Value)
	if err != nil {
		return
	}
	name := pkg + "." + of.Name
	w.constants[name] = append(w.constants[name], constant{s.Names[0].Name, value, oneLine(s.Comment.Text())})
}

// field is what is said of a field. One without a comment is described here, in
// fieldWords; so is one whose comment speaks to who programs.
func (w *sourceWords) field(t *testing.T, f jsonField) string {
	key := f.owner + "." + f.Name
	text, given := fieldWords[key]
	if !given {
		text = w.fields[key]
	}
	if text == "" {
		text = commonWords[f.json]
	}
	if text == "" {
		t.Errorf("%s (%s) has no description: give it a comment, or a line in fieldWords", key, f.json)
	}
	return sentence(w.inJSON(text, f))
}

var (
	camelCase  = regexp.MustCompile(`[a-z]+[A-Z]`)
	sortedBy   = regexp.MustCompile(`\bby ((?:[A-Z][a-z]*)+)\b`)
	safetyRule = regexp.MustCompile(` \(safety rules? [0-9 and]+\)`)
	wordEnd    = regexp.MustCompile(`([a-z])([A-Z])`)
)

// inJSON gives a comment in the names that stand in the document: of the field that
// it begins with, of fields beside it whose names are no English words, of a type's
// values, and of what a list is sorted by.
func (w *sourceWords) inJSON(text string, f jsonField) string {
	if rest, begins := strings.CutPrefix(text, f.Name); begins && strings.HasPrefix(strings.TrimLeft(rest, ":"), " ") {
		text = "`" + f.json + "`" + rest
	}
	for name, json := range f.siblings {
		if camelCase.MatchString(name) {
			text = regexp.MustCompile(`\b`+name+`\b`).ReplaceAllString(text, "`"+json+"`")
		}
	}
	elem := f.Type
	for elem.Kind() == reflect.Pointer || elem.Kind() == reflect.Slice {
		elem = elem.Elem()
	}
	if elem.PkgPath() != "" {
		for _, c := range w.constants[nameOf(elem)] {
			text = regexp.MustCompile(`\b`+c.name+`\b`).ReplaceAllString(text, strconv.Quote(c.value))
		}
	}
	text = sortedBy.ReplaceAllStringFunc(text, func(s string) string {
		return "by " + strings.ToLower(wordEnd.ReplaceAllString(strings.TrimPrefix(s, "by "), "${1}_$2"))
	})
	return safetyRule.ReplaceAllString(text, "")
}

// enumeration says what a type is and what its values mean.
func (w *sourceWords) enumeration(name string) string {
	text := w.types[name]
	for _, c := range w.constants[name] {
		if c.text != "" {
			text += " " + strconv.Quote(c.value) + ": " + strings.TrimSuffix(c.text, ".") + "."
		}
	}
	return text
}

// plainWords says nothing of Go's.
func plainWords(text string) string {
	return strings.NewReplacer("what is nil or empty stays", "what is absent stays", "nil stays", "what is absent stays",
		": the zero value is Unknown", ": empty where it is not known", "what internal/raftdir read", "what was read").Replace(text)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

var article = regexp.MustCompile(`^(the|when|what|how)\b`)

// sentence ends in one full stop, and begins with a capital unless it begins with
// a value or a name.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return article.ReplaceAllStringFunc(strings.TrimSuffix(text, "."), func(s string) string { return strings.ToUpper(s[:1]) + s[1:] }) + "."
}
