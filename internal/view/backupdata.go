package view

import (
	"fmt"

	"github.com/requeen/requeen/internal/state"
)

// dataWords are what a manifest says of an application's data.
func dataWords(d state.BackupData) string {
	if d.Missing {
		return fmt.Sprintf("%s of %s is NOT in it: it could not be read, and on_error let the backup be made", d.ID(), d.Node)
	}
	how := map[string]string{state.DataQuiesced: "while its services were down", state.DataCommands: "after a command", state.DataLive: "while it may have been written to"}[d.Consistency]
	words := fmt.Sprintf("%s of %s, %d files, %s, read %s %s", d.ID(), d.Node, d.Files, Bytes(d.Bytes), stamp(d.TakenAt), how)
	if d.Changed {
		words += "; files changed or vanished meanwhile"
	}
	return words
}
