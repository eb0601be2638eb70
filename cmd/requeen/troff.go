package main

import (
	"fmt"
	"strings"
)

// troff is the man page of a command, in the macros of man(7). It holds no
// date, so that the same program writes the same bytes.
func troff(p *page, version string) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"requeen %s\" \"requeen manual\"\n", strings.ToUpper(escape(manName(p.Path))), escape(version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", escape(manName(p.Path)), escape(lowerFirst(p.Short)))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n%s\n", escape(p.Path), escape(p.synopsis()))
	b.WriteString(".SH DESCRIPTION\n")
	for i, part := range paragraphs(p.Text) {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		if isLiteral(part) {
			troffLiteral(&b, part)
			continue
		}
		troffLines(&b, part)
	}
	if len(p.Commands) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, c := range p.Commands {
			fmt.Fprintf(&b, ".TP\n.B %s\n", escape(c.Name))
			troffLines(&b, c.Short+".")
		}
	}
	troffFlags(&b, p)
	b.WriteString(".SH EXIT STATUS\n")
	for _, s := range p.Statuses {
		fmt.Fprintf(&b, ".TP\n.B %d\n", s.Status)
		troffLines(&b, unquoted(s.Meaning)+".")
	}
	if p.Path == "requeen" {
		b.WriteString(".SH ENVIRONMENT\n")
		for _, v := range variables {
			fmt.Fprintf(&b, ".TP\n.B %s\n", escape(v.Name))
			troffLines(&b, unquoted(v.Meaning)+".")
		}
	}
	if p.Examples != "" {
		b.WriteString(".SH EXAMPLES\n")
		troffLiteral(&b, p.Examples)
	}
	troffSeeAlso(&b, p)
	return b.String()
}

// synopsis is what stands behind the command in its usage.
func (p *page) synopsis() string {
	rest := strings.TrimSpace(strings.TrimPrefix(p.Usage, p.Path))
	if len(p.Flags) > 0 {
		rest = strings.TrimSpace("[FLAGS] " + rest)
	}
	return rest
}

func troffFlags(b *strings.Builder, p *page) {
	b.WriteString(".SH OPTIONS\nEvery flag may be written with one hyphen or two.\n")
	one := func(f flagRow) {
		fmt.Fprintf(b, ".TP\n.B %s\n", escape(f.left()))
		troffLines(b, f.Usage+".")
	}
	for _, f := range p.Flags {
		one(f)
	}
	if len(p.Before) > 0 {
		b.WriteString(".PP\nBefore the command:\n")
		for _, f := range p.Before {
			one(f)
		}
	}
}

func troffSeeAlso(b *strings.Builder, p *page) {
	var names []string
	for i := strings.LastIndex(p.Path, " "); i > 0; i = strings.LastIndex(p.Path[:i], " ") {
		names = append(names, manName(p.Path[:i]))
	}
	for _, c := range p.Commands {
		names = append(names, manName(c.Path))
	}
	if len(names) == 0 {
		return
	}
	b.WriteString(".SH SEE ALSO\n")
	for i, name := range names {
		comma := ","
		if i == len(names)-1 {
			comma = ""
		}
		fmt.Fprintf(b, ".BR %s (1)%s\n", escape(name), comma)
	}
}

// troffLiteral writes lines as they stand, indented.
func troffLiteral(b *strings.Builder, text string) {
	b.WriteString(".RS 4\n.nf\n")
	troffLines(b, unindent(text))
	b.WriteString(".fi\n.RE\n")
}

func troffLines(b *strings.Builder, text string) {
	for _, line := range strings.Split(text, "\n") {
		b.WriteString(guarded(escape(line)) + "\n")
	}
}

// escape writes a text so that troff prints it as it is: a backslash is not a
// command, and a hyphen is the one that can be typed.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`,
		`"`, `\(dq`, "…", `\&...`, "–", `\(en`).Replace(text)
}

// guarded keeps a line that begins like a request from being one.
func guarded(line string) string {
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		return `\&` + line
	}
	return line
}

func unquoted(text string) string { return strings.ReplaceAll(text, "`", "") }
