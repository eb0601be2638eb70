package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/schema"
)

func newConsoleCommand(a *app) *cobra.Command {
	var f configFlags
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Try expressions",
		Long: `Reads expressions line by line, and prints what each gives. They see the variables
and locals of the configuration, if there is one, and every function. A line that
leaves a bracket open goes on in the next; exit ends. What is sensitive is shown
as (sensitive). From a pipe it exits with 1 where an expression failed.`,
		Example: "  requeen console\n  echo 'cidrhost(\"10.0.0.0/24\", 11)' | requeen console",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return a.console(f) },
	}
	f.register(cmd)
	return cmd
}

func (a *app) console(f configFlags) error {
	c, ds := schema.OpenConsole(".", schema.Options{Inputs: f.inputs, Environ: os.Environ()})
	screenOf(a.err).Diagnostics(ds)
	person := isTerminal(a.in)
	prompt := func(text string) {
		if person {
			fmt.Fprint(a.out, text)
		}
	}
	failed := ds.HasErrors()
	lines := bufio.NewScanner(a.in)
	lines.Buffer(nil, 1<<20)
	text := ""
	for prompt("> "); lines.Scan(); {
		text += lines.Text() + "\n"
		switch line := strings.TrimSpace(text); {
		case line == "exit" || line == "quit":
			return consoleStatus(failed && !person)
		case line == "":
			text = ""
			prompt("> ")
			continue
		case schema.Incomplete(text):
			prompt("  ")
			continue
		}
		failed = !a.evaluate(c, text) || failed
		text = ""
		prompt("> ")
	}
	if strings.TrimSpace(text) != "" {
		failed = !a.evaluate(c, text) || failed
	}
	prompt("\n")
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading expressions: %w", err)
	}
	return consoleStatus(failed && !person)
}

func (a *app) evaluate(c *schema.Console, text string) bool {
	value, ds := c.Eval(strings.TrimSpace(text))
	if len(ds) > 0 {
		screenOf(a.err).Diagnostics(ds)
	}
	if ds.HasErrors() {
		return false
	}
	fmt.Fprintln(a.out, value)
	return true
}

func consoleStatus(failed bool) error {
	if failed {
		return exitStatus(diag.ExitError)
	}
	return nil
}
