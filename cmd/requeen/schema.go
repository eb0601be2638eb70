package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/view/schemas"
	"github.com/requeen/requeen/schema"
)

func newSchemaCommand(a *app) *cobra.Command {
	var asJSON bool
	var of string
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the language's reference, or the schema of a document",
		Long: `Prints every block, attribute and function of the language, as Markdown or, with
-json, as one document for editors and other programs. It is made from the tables
that configurations are read by.

With -for prints the JSON Schema of what this requeen writes for programs:

  plan          the plan document: plan -out, show -json
  observation   the file of observe -out
  plan-stream   a line of plan -json
  apply-stream  a line of apply -json
  backup-diff   what backup diff -json prints`,
		Example: "  requeen schema\n  requeen schema -json\n  requeen schema -for=plan-stream",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			switch {
			case of != "":
				return a.documentSchema(of)
			case asJSON:
				enc := json.NewEncoder(a.out)
				enc.SetEscapeHTML(false)
				enc.SetIndent("", "  ")
				return enc.Encode(schema.Describe())
			}
			_, err := fmt.Fprint(a.out, schema.Reference())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	cmd.Flags().StringVar(&of, "for", "", "print the JSON Schema of `DOCUMENT`: "+strings.Join(schemas.Names(), ", "))
	mayBe(cmd, "for", schemas.Names()...)
	return cmd
}

func (a *app) documentSchema(name string) error {
	text, ok := schemas.Get(name)
	if !ok {
		return diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("There is no schema of %q", name),
			Remedy: "name one of " + strings.Join(schemas.Names(), ", ")}
	}
	_, err := fmt.Fprint(a.out, text)
	return err
}
