package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/plan/planfile"
)

// The formats of show.
const (
	formatHuman    = "human"
	formatJSON     = "json"
	formatMarkdown = "markdown"
	formatHTML     = "html"
)

func newShowCommand(a *app) *cobra.Command {
	var asJSON bool
	var format string
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show a plan file: on the terminal, for a pull request, or as a page",
		Long: `Prints a plan that plan -out wrote, after checking that its digest fits its
bytes. Nothing is contacted, and no configuration is read.

  human      as plan prints it
  markdown   for a comment on a pull or merge request: steps, hazards with what
             approves them, a picture, and the command that applies exactly this
             plan. It has 60000 bytes at most, and says what it left out.
  html       one page that loads nothing and runs no script, with a picture of
             the cluster before and after each step
  json       the plan file itself, which is one JSON document

What comes from outside (names, labels, engines' errors) is escaped in each of
them: it is no markup, mentions nobody and moves no cursor.`,
		Example: `  requeen show tonight.plan
  requeen show -format=markdown tonight.plan > comment.md
  requeen show -format=html tonight.plan > plan.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON && cmd.Flags().Changed("format") && format != formatJSON {
				return diag.Diagnostic{Severity: diag.Error, Summary: "-json and -format=" + format + " don't go together",
					Detail: "-json is short for -format=json.", Remedy: "leave one of them out"}
			}
			if asJSON {
				format = formatJSON
			}
			return a.show(format, args[0])
		},
	}
	cmd.Flags().StringVar(&format, "format", formatHuman, "print as `FORMAT`: human, json, markdown or html")
	cmd.Flags().BoolVar(&asJSON, "json", false, "short for -format=json")
	mayBe(cmd, "format", cobra.CompletionWithDesc(formatHuman, "as plan prints it"), cobra.CompletionWithDesc(formatMarkdown, "for a pull request"),
		cobra.CompletionWithDesc(formatHTML, "one page that loads nothing"), cobra.CompletionWithDesc(formatJSON, "the plan document"))
	return cmd
}

// show prints a plan file in one of the formats.
func (a *app) show(format, file string) error {
	if err := oneOf("format", format, formatHuman, formatJSON, formatMarkdown, formatHTML); err != nil {
		return err
	}
	p, digest, err := planfile.Read(file)
	if err != nil {
		return err
	}
	switch format {
	case formatJSON:
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		_, err = a.out.Write(raw)
		return err
	case formatMarkdown:
		_, err := io.WriteString(a.out, a.review(p, digest, file).Markdown())
		return err
	case formatHTML:
		return a.review(p, digest, file).HTML(a.out)
	}
	a.screen(a.out).Plan(p, digest)
	return nil
}

// review is a plan file with all that whoever approves it has to know.
func (a *app) review(p *plan.Plan, digest, file string) view.Review {
	return view.Review{Plan: p, Digest: digest, File: file, Dir: a.chdir, Approvals: apply.NeedsApproval(p)}
}

// oneOf refuses a flag's value that is none of those that there are.
func oneOf(flag, value string, known ...string) error {
	for _, k := range known {
		if k == value {
			return nil
		}
	}
	return diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("There is no -%s=%s", flag, value),
		Remedy: "name one of " + strings.Join(known, ", ")}
}
