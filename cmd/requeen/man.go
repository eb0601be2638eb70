package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
)

// newManCommand is `requeen man`: the manual, made from the commands' help.
func newManCommand(a *app) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "man [COMMAND…]",
		Short: "Write the man pages",
		Long: `Prints the man page of a command, or of requeen itself, for man to show. With
-out the pages of all commands are written into a directory instead, one file a
command: requeen.1, requeen-plan.1 and so on.

The pages are made of the same text as -help and need nothing but this program.`,
		Example: `  requeen man plan | man -l -
  requeen man -out /usr/local/share/man/man1`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return a.printMan(cmd.Root(), args)
			}
			if len(args) > 0 {
				return diag.Diagnostic{Severity: diag.Error, Summary: "-out writes the pages of all commands",
					Detail: fmt.Sprintf("Named was %q as well.", strings.Join(args, " ")), Remedy: "leave out the command, or -out"}
			}
			return a.writeMan(cmd.Root(), out)
		},
		ValidArgsFunction: completeCommand,
	}
	cmd.Flags().StringVar(&out, "out", "", "write all pages into `DIR`, which is made where it is not there")
	return cmd
}

func (a *app) printMan(root *cobra.Command, names []string) error {
	cmd, ok := find(root, names)
	if !ok || cmd.Hidden {
		return diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("There is no command %q", strings.Join(names, " ")),
			Remedy: "requeen -help shows the commands"}
	}
	_, err := fmt.Fprint(a.out, troff(pageOf(cmd), version))
	return err
}

func (a *app) writeMan(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("the directory of -out can't be made: %w", err)
	}
	var err error
	pageOf(root).each(func(p *page) {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, manFile(p.Path)), []byte(troff(p, version)), 0o644)
		}
	})
	if err != nil {
		return fmt.Errorf("a man page can't be written: %w", err)
	}
	return nil
}

// manFile is the name of a command's page: requeen-backup-list.1.
func manFile(path string) string { return manName(path) + ".1" }

func manName(path string) string { return strings.ReplaceAll(path, " ", "-") }
