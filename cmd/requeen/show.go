package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/plan/planfile"
)

func newShowCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show a plan file",
		Long: `Prints a plan that plan -out wrote, after checking that its digest fits its
bytes. Nothing is contacted. The plan file is one JSON document; -json prints it.`,
		Example: "  requeen show tonight.plan",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			p, digest, err := planfile.Read(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				raw, err := os.ReadFile(args[0])
				if err != nil {
					return err
				}
				_, err = a.out.Write(raw)
				return err
			}
			screenOf(a.out).Plan(p, digest)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the plan document")
	return cmd
}
