package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
)

var doubleDash = regexp.MustCompile(`(^|[\s"'\[(,])--([a-z])`)

// singleDash writes flags the way the help shows them.
func singleDash(text string) string { return doubleDash.ReplaceAllString(text, "$1-$2") }

// helpName is the command that other tools have besides -help; fingers type it.
const helpName = "help"

func newHelpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: helpName + " [COMMAND]…", Short: "Show the help of a command", Hidden: true,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err == nil && len(rest) > 0 {
				err = fmt.Errorf("%s has no command %q", cmd.CommandPath(), rest[0])
			}
			if err != nil {
				return diag.Diagnostic{Severity: diag.Error, Summary: "There is no such command", Detail: err.Error() + ".",
					Remedy: root.CommandPath() + " -help shows those that there are"}
			}
			return cmd.Help()
		},
	}
}

// finishHelp gives every command a help that shows -name, the form of the
// tools that people come from.
func finishHelp(root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { fmt.Fprint(cmd.OutOrStdout(), helpText(cmd)) })
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		_, err := fmt.Fprint(cmd.ErrOrStderr(), helpText(cmd))
		return err
	})
	root.SetHelpCommand(newHelpCommand(root))
	var each func(*cobra.Command)
	each = func(cmd *cobra.Command) {
		cmd.Flags().BoolP("help", "h", false, "show this")
		cmd.Flags().Lookup("help").Hidden = true
		if cmd.Args != nil {
			cmd.Args = countArgs(cmd.Args)
		}
		for _, c := range cmd.Commands() {
			each(c)
		}
	}
	each(root)
}

// countArgs says what a command takes, where cobra says a number.
func countArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if check(cmd, args) == nil {
			return nil
		}
		given := "Nothing was given after it."
		if len(args) > 0 {
			given = fmt.Sprintf("Given was %q.", args)
		}
		return diag.Diagnostic{Severity: diag.Error, Summary: "The command line is not understood",
			Detail: fmt.Sprintf("The command's form is: %s. %s Nothing was done.", usageLine(cmd), given),
			Remedy: fmt.Sprintf("%s -help shows what it takes", cmd.CommandPath())}
	}
}

func helpText(cmd *cobra.Command) string {
	p := pageOf(cmd)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nUsage: %s\n", p.Text, p.Usage)
	if len(p.Commands) > 0 {
		b.WriteString("\nCommands:\n")
		for _, c := range p.Commands {
			fmt.Fprintf(&b, "  %-14s %s\n", c.Name, c.Short)
		}
	}
	writeFlags(&b, "Flags", p.Flags)
	writeFlags(&b, "Before the command", p.Before)
	if p.Examples != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", p.Examples)
	}
	return b.String()
}

func writeFlags(b *strings.Builder, title string, rows []flagRow) {
	if len(rows) == 0 {
		return
	}
	width := 0
	for _, row := range rows {
		width = max(width, len(row.left()))
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	for _, row := range rows {
		fmt.Fprintf(b, "  %-*s  %s\n", width, row.left(), row.Usage)
	}
}
