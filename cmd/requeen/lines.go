package main

import (
	"encoding/json"
	"errors"
	"io"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/view"
)

// eventLine is an event of a run as a line of apply -json.
type eventLine struct {
	FormatVersion int `json:"format_version"`
	apply.Event
}

func writeLines(w io.Writer, lines ...any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, line := range lines {
		if err := enc.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// told writes what ended a command among its lines too, where its output is lines:
// who reads those does not read the standard error. An interrupt is an event by
// itself.
func (a *app) told(asJSON bool, err error) error {
	var status exitStatus
	if !asJSON || err == nil || errors.As(err, &status) || errors.Is(err, apply.ErrInterrupted) {
		return err
	}
	if failed := writeLines(a.out, view.DiagnosticLines(explain(err), a.now())...); failed != nil {
		return errors.Join(err, failed)
	}
	return err
}
