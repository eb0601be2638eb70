package main

import (
	"io"
	"os"

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

// isTerminal tells whether a person can be asked.
func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
