package main

import (
	"io"

	"github.com/spf13/cobra"
)

// questionsFlag is for the commands that other tools ask questions in.
func (f *configFlags) questionsFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.questions, "input", true, "ask what has to be answered; -input=false never asks, and ends where a question would stand")
}

// cannotAsk is why nobody can be asked, "" where somebody can.
func (f *configFlags) cannotAsk(in io.Reader) string {
	switch {
	case !f.questions:
		return "-input=false says so."
	case !isTerminal(in):
		return "The standard input is not a terminal."
	}
	return ""
}
