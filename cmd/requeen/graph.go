package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/view"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/plan/planfile"
)

// The formats of graph.
const (
	formatDot     = "dot"
	formatMermaid = "mermaid"
)

type graphFlags struct {
	configFlags
	wish
	format, state string
}

func newGraphCommand(a *app) *cobra.Command {
	var f graphFlags
	cmd := &cobra.Command{
		Use:   "graph [FILE]",
		Short: "Draw what each step of a plan waits for",
		Long: `Prints the steps of a plan as a graph, grouped by node, each with the steps that
it waits for: those of the same node and the same backup, and, since managers
are touched one after the other, the last step that touched the quorum. A whole
arrow is the next step on the same node, a dashed one waits for another node.

With FILE: of a plan that plan -out wrote. Without FILE: of a plan that is made
now, as plan makes it; the hosts are looked at, and nothing is changed. With -state
and -target it is made as plan makes it with them. A run takes the steps one by one
in the order of their numbers.

dot is the language of Graphviz; mermaid is what GitHub and GitLab draw in
markdown, up to some hundred steps.`,
		Example: `  requeen graph | dot -Tsvg > plan.svg
  requeen graph -format=mermaid tonight.plan
  requeen graph -state prod.state.json -target=w1`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.graph(cmd, f, args) },
	}
	f.register(cmd)
	f.lockFlag(cmd)
	f.wish.flags(cmd, "without FILE: ")
	stateFlag(cmd, &f.state, "without FILE: ")
	cmd.Flags().StringVar(&f.format, "format", formatDot, "draw in `LANGUAGE`: dot or mermaid")
	mayBe(cmd, "format", cobra.CompletionWithDesc(formatDot, "for Graphviz"), cobra.CompletionWithDesc(formatMermaid, "for markdown"))
	a.completeNodes(cmd, &f.configFlags)
	return cmd
}

func (a *app) graph(cmd *cobra.Command, f graphFlags, args []string) error {
	if err := oneOf("format", f.format, formatDot, formatMermaid); err != nil {
		return err
	}
	p, err := a.graphed(cmd, f, args)
	if err != nil {
		return err
	}
	text := view.DotGraph(p)
	if f.format == formatMermaid {
		text = view.MermaidGraph(p)
	}
	_, err = io.WriteString(a.out, text)
	return err
}

// graphed is the plan in the file, or one that is made now.
func (a *app) graphed(cmd *cobra.Command, f graphFlags, args []string) (*plan.Plan, error) {
	if len(args) == 1 {
		if f.wish.asked() || f.state != "" {
			return nil, diag.Diagnostic{Severity: diag.Error, Summary: "-backup, -restore, -target and -state don't go with a plan file",
				Detail: "A plan file is drawn as it was made.", Remedy: "leave them out, or leave out the file"}
		}
		p, _, err := planfile.Read(args[0])
		return p, err
	}
	if err := f.wish.check(); err != nil {
		return nil, err
	}
	if err := f.lockFits(f.wish); err != nil {
		return nil, err
	}
	ctx, stop := interruptible(cmd)
	defer stop()
	s, err := a.openAt(&f.configFlags, f.state)
	if err != nil {
		return nil, err
	}
	defer s.close()
	s.noLock = !f.lock
	if err := f.wish.fits(s.cfg); err != nil {
		return nil, err
	}
	return s.decided(ctx, f.wish, false)
}
