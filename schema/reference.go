package schema

import (
	"fmt"
	"strings"
)

// Reference is the language's reference page, as Markdown, made from the same
// tables that configurations are read by.
func Reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, s := range topLevel {
		referenceBlock(&b, s, s.name, 2)
	}
	b.WriteString(referenceExpressions)
	b.WriteString("| function | result |\n|---|---|\n")
	for _, name := range referenceFunctions() {
		doc := functionDocs[name]
		fmt.Fprintf(&b, "| `%s` | %s |\n", doc[0], doc[1])
	}
	b.WriteString(referenceLeftOut)
	for _, line := range wrapNames(keysOf(leftOut)) {
		b.WriteString(line + "\n")
	}
	b.WriteString(referenceTail)
	return b.String()
}

func referenceBlock(b *strings.Builder, s *blockSpec, path string, level int) {
	title := path
	if s.label != "" {
		title += ` "…"`
	}
	fmt.Fprintf(b, "%s %s\n\n%s\n\n", strings.Repeat("#", level), title, sentences(s.doc, s.effect))
	fmt.Fprintf(b, "How many: %s.", s.count)
	if s.label != "" {
		fmt.Fprintf(b, " Label: %s.", s.label)
	}
	b.WriteString("\n\n")
	if len(s.attrs) > 0 {
		b.WriteString("| attribute | type | default | meaning | refused |\n|---|---|---|---|---|\n")
	}
	for _, a := range s.attrs {
		def := a.def
		switch {
		case a.required:
			def = "**required**"
		case def == "":
			def = "none"
		}
		doc := sentences(a.doc, a.effect)
		if a.secret {
			doc += " May be sensitive."
		}
		row := []string{"`" + a.name + "`", a.typ, def, doc, strings.Join(a.misuse, "; ")}
		for i := range row {
			row[i] = strings.ReplaceAll(row[i], "|", "\\|")
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
	if len(s.attrs) > 0 {
		b.WriteString("\n")
	}
	if len(s.misuse) > 0 {
		b.WriteString("Told as mistakes or warnings:\n\n")
		for _, m := range s.misuse {
			fmt.Fprintf(b, "- %s\n", m)
		}
		b.WriteString("\n")
	}
	if s.notes != nil {
		b.WriteString(s.notes())
	}
	if s.example != "" {
		fmt.Fprintf(b, "```hcl\n%s\n```\n\n", s.example)
	}
	for _, n := range s.blocks {
		referenceBlock(b, n, path+" / "+n.name, level+1)
	}
}

// sentences joins texts that may be empty.
func sentences(texts ...string) string {
	return strings.TrimSpace(strings.Join(texts, " "))
}

// referenceFunctions names every function that an expression may call.
func referenceFunctions() []string { return keysOf((&loader{}).newFunctions()) }

// wrapNames sets names as code, in lines that can be read.
func wrapNames(names []string) []string {
	var lines []string
	line := ""
	for i, n := range names {
		word := "`" + n + "`,"
		if i == len(names)-1 {
			word = "`" + n + "`."
		}
		if line != "" && len(line)+1+len(word) > 100 {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

const referenceHead = `# The language

<!-- Made from the tables in package schema by go generate ./schema; don't edit. -->

A directory is one cluster: every ` + "`*.rq.hcl`" + ` in it is read as one configuration, in any order. Hidden
files are left out. Every mistake is told, all of them at once, before anything is contacted.

HCL needs one attribute a line in a block with several; a block with one attribute may stand on one line.
An attribute that is null is as if it were not there.

`

const referenceExpressions = `## Expressions

Expressions are HCL's own. They see ` + "`var.NAME`, `local.NAME`" + ` and, in a node with for_each, ` + "`each.key` and `each.value`" + `.

The functions are those known from Terraform, as far as they rest on their arguments alone:

`

const referenceLeftOut = `
Left out on purpose, each with its reason and what to write instead in the error: what gives another result every
time or on every machine (plans have to be repeatable), and what others do already.

`

const referenceTail = `
` + "`file(path)`" + ` reads a text file of at most 1 MiB, relative to the configuration's directory; outside of it, symbolic
links followed, nothing is read. ` + "`fileexists(path)`" + ` keeps to the same rules. ` + "`env(name)`" + ` is an environment
variable; where it is not set the value is unknown, which an attribute that may be sensitive bears and any other
refuses. ` + "`cidrhost`, `cidrsubnet`, `cidrsubnets` and `cidrnetmask`" + `
count in IPv4 and IPv6 networks.

## Sensitive values

What comes from ` + "`env()`, `file()`, `fileexists()`, `sensitive()`" + ` or a variable with ` + "`sensitive = true`" + ` is sensitive, and so is everything made from
it. It may stand only in attributes that say so above; anywhere else it is refused, because it would be shown.
` + "`nonsensitive(value)`" + ` says that a value is no secret; it is then a part of the configuration's digest.
`
