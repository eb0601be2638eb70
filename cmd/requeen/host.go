package main

import "github.com/spf13/cobra"

func newHostCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "host",
		Short: "Tidy up what recoveries left on hosts",
		Long: `Works on what recoveries have left on the declared hosts. What a cut run left is
finished or removed by apply.`,
	}
	cmd.AddCommand(newHostCleanupCommand(a))
	return cmd
}
