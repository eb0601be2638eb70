package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/repository"
)

// version is the tool's version, set by the linker.
var version = "0.1.0-dev"

func main() {
	repository.RunJanitorIfAsked()
	if len(os.Args) > 1 && os.Args[1] == "host-helper" {
		os.Exit(host.RunHelper(os.Args[2:], os.Stdin, os.Stdout))
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// app is what every command needs of its surroundings.
type app struct {
	in       io.Reader
	out, err io.Writer
	chdir    string
	compact  bool // warnings and hazards take a line each
	now      func() time.Time
}

// exitStatus ends the command with a status after everything was said.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// run executes one command line and gives its exit status.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	a := &app{in: in, out: out, err: errOut, now: time.Now}
	root := newRootCommand(a)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := a.execute(root, args)
	var status exitStatus
	switch {
	case err == nil:
		return diag.ExitOK
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, apply.ErrInterrupted):
		fmt.Fprintln(errOut, err)
		return diag.ExitInterrupted
	}
	screenOf(errOut).Diagnostics(explain(err))
	return diag.ExitError
}

func (a *app) execute(root *cobra.Command, args []string) error {
	if isCompletion(args) {
		return a.complete(root, args)
	}
	root.SetArgs(normalizeArgs(root, args))
	return root.ExecuteContext(context.Background())
}

func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "requeen",
		Short: "Back up Docker Swarm managers, and bring a lost swarm back, from a reviewed plan",
		Long: `requeen compares what HCL files declare with the live swarm, prints an ordered
plan of steps, and applies exactly that plan.

  requeen status   how the swarm and its backups stand
  requeen plan     what would be done, and why
  requeen apply    do it, after you said yes

A directory is one cluster: every *.rq.hcl in it is read.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version,
	}
	root.PersistentFlags().StringVar(&a.chdir, "chdir", "", "run in `DIR`: its configuration is used, and files are named from there; stands before the command")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.enter() }
	root.PersistentFlags().Var(noColorFlag{}, "no-color", "no colours, as where NO_COLOR is set; stands before the command")
	root.PersistentFlags().Lookup("no-color").NoOptDefVal = "true"
	root.Flags().Bool("version", false, "print the version")
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newInitCommand(a), newPlanCommand(a), newApplyCommand(a), newShowCommand(a), newGraphCommand(a), newObserveCommand(a), newStatusCommand(a), newBackupCommand(a), newHostCommand(a),
		newForceUnlockCommand(a), newValidateCommand(a), newFmtCommand(a), newConsoleCommand(a), newSchemaCommand(a), newLabCommand(), newManCommand(a), newCompletionCommand(a))
	finishHelp(root)
	finishCompletion(root)
	return root
}

// enter goes to the directory of -chdir.
func (a *app) enter() error {
	if a.chdir == "" {
		return nil
	}
	if err := os.Chdir(a.chdir); err != nil {
		return diag.Diagnostic{Severity: diag.Error, Summary: "The directory of -chdir can't be entered",
			Detail: err.Error() + ".", Remedy: "give the directory that holds the *.rq.hcl files"}
	}
	return nil
}

func flagError(cmd *cobra.Command, err error) error {
	return diag.Diagnostic{
		Severity: diag.Error,
		Summary:  "The command line is not understood",
		Detail:   singleDash(err.Error()),
		Remedy:   fmt.Sprintf("%s -help shows its flags", cmd.CommandPath()),
	}
}
