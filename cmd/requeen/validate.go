package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/schema"
)

func newValidateCommand(a *app) *cobra.Command {
	var f configFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration, and contact nobody",
		Long: `Reads the configuration and tells every mistake at once, each with its file, line
and remedy. No host and no repository is contacted. Warnings are told, and are no
mistakes.`,
		Example: "  requeen validate\n  requeen -chdir=clusters/prod validate -json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, ds := schema.Load(".", schema.Options{Inputs: f.inputs, Environ: os.Environ()})
			if asJSON {
				return a.validateJSON(ds)
			}
			if ds.HasErrors() {
				return ds
			}
			screenOf(a.err).Diagnostics(ds)
			managers := 0
			for _, n := range cfg.Nodes {
				if n.Role == schema.RoleManager {
					managers++
				}
			}
			fmt.Fprintf(a.out, "The configuration is valid: cluster %s with %s and %s, %s, in %s.\n", cfg.Cluster.Name,
				many(managers, "manager"), many(len(cfg.Nodes)-managers, "worker"), many(len(cfg.Backups), "backup"), many(len(cfg.Files), "file"))
			return nil
		},
	}
	f.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func (a *app) validateJSON(ds diag.Diagnostics) error {
	out := struct {
		FormatVersion int              `json:"format_version"`
		Valid         bool             `json:"valid"`
		Errors        int              `json:"error_count"`
		Warnings      int              `json:"warning_count"`
		Diagnostics   diag.Diagnostics `json:"diagnostics"`
	}{FormatVersion: 1, Valid: !ds.HasErrors(), Diagnostics: diag.Diagnostics{}}
	for _, d := range ds {
		if d.Severity == diag.Error {
			out.Errors++
		} else {
			out.Warnings++
		}
		out.Diagnostics = append(out.Diagnostics, d)
	}
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	if !out.Valid {
		return exitStatus(diag.ExitError)
	}
	return nil
}
