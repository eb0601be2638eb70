package main

import (
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/requeen/requeen/internal/view"
)

// screenOf finds out what a stream can show: colours and lines that are
// written over only on a terminal, and colours not where NO_COLOR is set.
func screenOf(w io.Writer) view.Screen {
	s := view.Screen{Out: w}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return s
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		s.Width = min(width, 120)
	}
	dumb := os.Getenv("TERM") == "dumb"
	s.Live = !dumb
	s.Color = !dumb && os.Getenv("NO_COLOR") == ""
	return s
}

// screen is a stream's screen with what the command's flags say of it.
func (a *app) screen(w io.Writer) view.Screen {
	s := screenOf(w)
	s.Compact = a.compact
	return s
}

// compactFlag is for the commands that show a plan.
func (a *app) compactFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.compact, "compact-warnings", false, "show warnings, and hazards that need no approval, in a line each")
}

// noColorFlag is -no-color. It sets the variable that says the same, where it is
// read: so it holds for a message about the rest of the command line too, and for
// the programs that are started.
type noColorFlag struct{}

func (noColorFlag) String() string { return "false" }
func (noColorFlag) Type() string   { return "bool" }

func (noColorFlag) Set(text string) error {
	off, err := strconv.ParseBool(text)
	if err != nil || !off {
		return err
	}
	return os.Setenv("NO_COLOR", "1")
}

// isTerminal tells whether a person can be asked.
func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
