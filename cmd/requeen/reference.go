package main

//go:generate go test -run TestCommandsPageIsFresh -update .

import (
	"fmt"
	"strings"
)

const referenceHead = `# The commands

<!-- Made from the commands' own help by go generate ./cmd/requeen; don't edit. -->

Every flag is written ` + "`-name`" + ` or ` + "`--name`" + `, and its value ` + "`-name VALUE`" + ` or ` + "`-name=VALUE`" + `. ` + "`-help`" + `
after any command shows what stands here. The same as man pages: ` + "`requeen man -out DIR`" + `.

`

// commandsReference is commands.md: every command, in the order of the help.
func commandsReference(root *page) string {
	var b strings.Builder
	b.WriteString(referenceHead)
	root.each(func(p *page) {
		if p != root {
			fmt.Fprintf(&b, "- [`%s`](#%s) %s\n", strings.TrimPrefix(p.Path, "requeen "), anchor(p.Path), lowerFirst(p.Short))
		}
	})
	root.each(func(p *page) { referencePage(&b, p, p == root) })
	b.WriteString("\n## Exit statuses\n\n" + statusTable(root.Statuses))
	b.WriteString("\n## Environment\n\n" + variableTable())
	return b.String()
}

func referencePage(b *strings.Builder, p *page, isRoot bool) {
	fmt.Fprintf(b, "\n## %s\n\n", p.Path)
	fmt.Fprintf(b, "```text\n%s\n```\n", p.Usage)
	for _, part := range paragraphs(p.Text) {
		if isLiteral(part) {
			fmt.Fprintf(b, "\n```text\n%s\n```\n", unindent(part))
		} else {
			fmt.Fprintf(b, "\n%s\n", markdown(part))
		}
	}
	if len(p.Commands) > 0 && !isRoot {
		b.WriteString("\n")
		for _, c := range p.Commands {
			fmt.Fprintf(b, "- [`%s`](#%s) %s\n", c.Name, anchor(c.Path), lowerFirst(c.Short))
		}
	}
	if len(p.Flags) > 0 {
		b.WriteString("\n| flag | meaning |\n|---|---|\n")
		for _, f := range p.Flags {
			fmt.Fprintf(b, "| `%s` | %s |\n", f.left(), markdown(f.Usage))
		}
	}
	if p.Examples != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", unindent(p.Examples))
	}
}

func statusTable(rows []statusRow) string {
	var b strings.Builder
	b.WriteString("| status | meaning |\n|---|---|\n")
	for _, s := range rows {
		fmt.Fprintf(&b, "| %d | %s |\n", s.Status, s.Meaning)
	}
	return b.String()
}

func variableTable() string {
	var b strings.Builder
	b.WriteString("| variable | meaning |\n|---|---|\n")
	for _, v := range variables {
		fmt.Fprintf(&b, "| `%s` | %s |\n", v.Name, v.Meaning)
	}
	return b.String()
}

// markdown keeps a text of the help from being read as markup.
func markdown(text string) string {
	return strings.NewReplacer("*", `\*`, "_", `\_`, "<", "&lt;", "|", `\|`).Replace(text)
}

// anchor is the fragment that a heading gets: lower case, blanks as hyphens.
func anchor(heading string) string { return strings.ReplaceAll(strings.ToLower(heading), " ", "-") }

func lowerFirst(text string) string { return strings.ToLower(text[:1]) + text[1:] }

// unindent takes the first line's indentation from every line.
func unindent(text string) string {
	lines := strings.Split(text, "\n")
	indent := lines[0][:len(lines[0])-len(strings.TrimLeft(lines[0], " "))]
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], indent)
	}
	return strings.Join(lines, "\n")
}
