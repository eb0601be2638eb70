package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var doubleDash = regexp.MustCompile(`(^|[\s"'\[(,])--([a-z])`)

// singleDash writes flags the way the help shows them.
func singleDash(text string) string { return doubleDash.ReplaceAllString(text, "$1-$2") }

// finishHelp gives every command a help that shows -name, the form of the
// tools that people come from.
func finishHelp(root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { fmt.Fprint(cmd.OutOrStdout(), helpText(cmd)) })
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		_, err := fmt.Fprint(cmd.ErrOrStderr(), helpText(cmd))
		return err
	})
	root.SetHelpCommand(&cobra.Command{Use: "no-help", Hidden: true})
	var each func(*cobra.Command)
	each = func(cmd *cobra.Command) {
		cmd.Flags().BoolP("help", "h", false, "show this")
		cmd.Flags().Lookup("help").Hidden = true
		for _, c := range cmd.Commands() {
			each(c)
		}
	}
	each(root)
}

func helpText(cmd *cobra.Command) string {
	var b strings.Builder
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	fmt.Fprintf(&b, "%s\n\nUsage: %s\n", strings.TrimSpace(text), usageLine(cmd))
	var commands []*cobra.Command
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			commands = append(commands, c)
		}
	}
	if len(commands) > 0 {
		b.WriteString("\nCommands:\n")
		for _, c := range commands {
			fmt.Fprintf(&b, "  %-14s %s\n", c.Name(), c.Short)
		}
	}
	writeFlags(&b, "Flags", cmd.LocalNonPersistentFlags())
	if cmd.HasParent() {
		writeFlags(&b, "Before the command", cmd.Root().PersistentFlags())
	} else {
		writeFlags(&b, "Flags", cmd.PersistentFlags())
	}
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	return b.String()
}

func usageLine(cmd *cobra.Command) string {
	line := cmd.UseLine()
	if !cmd.Runnable() && cmd.HasSubCommands() {
		line = cmd.CommandPath() + " COMMAND"
	}
	return singleDash(strings.TrimSuffix(line, " [flags]"))
}

func writeFlags(b *strings.Builder, title string, flags *pflag.FlagSet) {
	var rows [][2]string
	width := 0
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		left := "-" + f.Name
		if value != "" {
			left += " " + value
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && f.DefValue != "0" && f.DefValue != "0s" {
			usage += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		rows, width = append(rows, [2]string{left, usage}), max(width, len(left))
	})
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	for _, row := range rows {
		fmt.Fprintf(b, "  %-*s  %s\n", width, row[0], row[1])
	}
}
