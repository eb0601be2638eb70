package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/requeen/requeen/internal/diag"
)

// page is what there is to say of one command. The help, the page of all
// commands and the man pages are the same text in three forms.
type page struct {
	Path     string // "requeen backup list"
	Name     string // "list"
	Short    string
	Text     string // paragraphs, and lines that are indented stand as they are
	Usage    string
	Commands []*page
	Flags    []flagRow
	Before   []flagRow // those of requeen itself, which stand before the command
	Examples string
	Statuses []statusRow
}

// flagRow is a flag as the help shows it.
type flagRow struct {
	Name  string // "-out"
	Value string // "FILE", or empty for a switch
	Usage string // with its default
}

func (f flagRow) left() string { return strings.TrimSpace(f.Name + " " + f.Value) }

// statusRow is an exit status that a command can end with.
type statusRow struct {
	Status  int
	Meaning string
	only    []string // the commands that give it; empty for every command
}

// statuses are the exit statuses. One that only some commands give is told
// there, and only while such a command exists.
var statuses = []statusRow{
	{diag.ExitOK, "done, or nothing was to be done", nil},
	{diag.ExitOK, "`status`: nothing needs a hand", []string{"requeen status"}},
	{diag.ExitError, "an error, told on the standard error; or something is due and can't be done", nil},
	{diag.ExitError, "`status`: something could not be told", []string{"requeen status"}},
	{diag.ExitChanges, "`plan -detailed-exitcode`: there are steps; with `-refresh-only`: something differs or is due", []string{"requeen plan"}},
	{diag.ExitChanges, "`status`: something needs a hand", []string{"requeen status"}},
	{diag.ExitFormat, "`fmt -check`: a file has another form", []string{"requeen fmt"}},
	{diag.ExitInterrupted, "interrupted; a manager that was stopped comes back by itself", nil},
}

// variableRow is an environment variable that requeen reads.
type variableRow struct{ Name, Meaning string }

// variables are the environment variables, as README.md and requeen(1) show
// them.
var variables = []variableRow{
	{"RQ_VAR_name", "a value for `variable \"name\"`"},
	{"RQ_SSH_CONFIG", "a file for `ssh -F`"},
	{"RQ_HELPER", "a requeen binary for the hosts, where theirs is another architecture"},
	{"AWS_name, AZURE_name, GOOGLE_name", "credentials of a repository in an object storage, as its service's own tools read them"},
	{"XDG_STATE_HOME", "where journals are kept (`-journal DIR` overrides)"},
	{"NO_COLOR", "no colours"},
}

// pageOf reads a command and what is below it.
func pageOf(cmd *cobra.Command) *page {
	p := &page{Path: cmd.CommandPath(), Name: cmd.Name(), Short: cmd.Short, Text: strings.TrimSpace(cmd.Long),
		Usage: usageLine(cmd), Examples: strings.TrimRight(cmd.Example, "\n")}
	if p.Text == "" {
		p.Text = cmd.Short
	}
	for _, c := range cmd.Commands() {
		if !c.Hidden && c.Name() != "__complete" {
			p.Commands = append(p.Commands, pageOf(c))
		}
	}
	p.Flags = flagRows(cmd.LocalNonPersistentFlags())
	if cmd.HasParent() {
		p.Before = flagRows(cmd.Root().PersistentFlags())
	} else {
		p.Flags = append(p.Flags, flagRows(cmd.PersistentFlags())...)
	}
	p.Statuses = statusesOf(p.Path, cmd.Root())
	return p
}

// statusesOf are the statuses that a command, or one below it, can end with, a
// row for each.
func statusesOf(path string, root *cobra.Command) []statusRow {
	var rows []statusRow
	for _, s := range statuses {
		if len(s.only) > 0 && !gives(path, root, s) {
			continue
		}
		if last := len(rows) - 1; last >= 0 && rows[last].Status == s.Status {
			s.Meaning = rows[last].Meaning + "; " + s.Meaning
			rows = rows[:last]
		}
		rows = append(rows, s)
	}
	return rows
}

// gives tells whether a status that only some commands give is one of this
// command, or of one below it.
func gives(path string, root *cobra.Command, s statusRow) bool {
	for _, giver := range s.only {
		_, there := find(root, strings.Fields(giver)[1:])
		if there && (giver == path || strings.HasPrefix(giver, path+" ")) {
			return true
		}
	}
	return false
}

// find walks down the names of commands.
func find(cmd *cobra.Command, names []string) (*cobra.Command, bool) {
	for _, name := range names {
		if cmd = child(cmd, name); cmd == nil {
			return nil, false
		}
	}
	return cmd, true
}

// each visits a page and every page below it.
func (p *page) each(visit func(*page)) {
	visit(p)
	for _, c := range p.Commands {
		c.each(visit)
	}
}

func usageLine(cmd *cobra.Command) string {
	line := cmd.UseLine()
	if !cmd.Runnable() && cmd.HasSubCommands() {
		line = cmd.CommandPath() + " COMMAND"
	}
	return singleDash(strings.TrimSuffix(line, " [flags]"))
}

func flagRows(flags *pflag.FlagSet) []flagRow {
	var rows []flagRow
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		switch f.DefValue {
		case "", "false", "[]", "0", "0s":
		default:
			usage += fmt.Sprintf(" (default %s)", defaultOf(f))
		}
		switch value {
		case "int", "uint":
			value = "NUMBER"
		case "duration":
			value = "DURATION"
		}
		rows = append(rows, flagRow{"-" + f.Name, value, usage})
	})
	return rows
}

// defaultOf writes a duration as a person would, 336h for 336h0m0s.
func defaultOf(f *pflag.Flag) string {
	text := f.DefValue
	if f.Value.Type() != "duration" {
		return text
	}
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}

// isLiteral tells whether a paragraph stands as it is: its lines are indented.
func isLiteral(paragraph string) bool { return strings.HasPrefix(paragraph, "  ") }

// paragraphs splits a command's text.
func paragraphs(text string) []string {
	var list []string
	for _, part := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		if part = strings.TrimRight(part, " \n"); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// flagOf finds a flag of a command, or of requeen itself.
func flagOf(cmd *cobra.Command, name string) *pflag.Flag {
	for _, set := range []*pflag.FlagSet{cmd.Flags(), cmd.InheritedFlags(), cmd.PersistentFlags()} {
		if flag := set.Lookup(name); flag != nil {
			return flag
		}
	}
	return nil
}
