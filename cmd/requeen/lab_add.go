package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/lab"
)

func newLabAddCommand() *cobra.Command {
	var name string
	var o lab.AddOptions
	cmd := &cobra.Command{
		Use:   "add",
		Short: "Boot one more node",
		Long: `Boots one more node with a name and an address of its own: a new host, in no swarm
unless -join is given. It is known to ssh, and not in the lab's configuration.`,
		Example: "  requeen lab add -role manager\n  requeen lab add -role worker -suite trixie -join",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := lab.Open(name)
			if err != nil {
				return err
			}
			n, err := l.Add(cmd.Context(), o)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Node %s is up at %s. To enter it: requeen lab ssh%s %s\n", n.Name, n.Address, labFlag(l.Name()), n.Name)
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", lab.DefaultName, "`NAME` of the lab")
	cmd.Flags().StringVar(&o.Role, "role", "worker", "`ROLE` of the node: manager or worker")
	cmd.Flags().StringVar(&o.Suite, "suite", "", "Debian `SUITE` of its engine: "+strings.Join(lab.Suites, ", ")+" (default the lab's)")
	mayBe(cmd, "role", "manager", "worker")
	mayBe(cmd, "suite", lab.Suites...)
	cmd.Flags().BoolVar(&o.Join, "join", false, "have it join the swarm")
	return cmd
}
