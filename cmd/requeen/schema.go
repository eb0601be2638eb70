package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/schema"
)

func newSchemaCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the language's reference",
		Long: `Prints every block, attribute and function of the language, as Markdown or, with
-json, as one document for editors and other programs. It is made from the tables
that configurations are read by.`,
		Example: "  requeen schema\n  requeen schema -json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if !asJSON {
				_, err := fmt.Fprint(a.out, schema.Reference())
				return err
			}
			enc := json.NewEncoder(a.out)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			return enc.Encode(schema.Describe())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}
