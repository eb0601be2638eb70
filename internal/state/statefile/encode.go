package statefile

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/requeen/requeen/internal/atomicfile"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// FormatVersion is the version of the document. A reader refuses another one.
const FormatVersion = 1

// MaxSize bounds a document. That of ten thousand nodes with their containers is
// far below it.
const MaxSize = 256 << 20

// Observation is the document.
type Observation struct {
	FormatVersion int    `json:"format_version"`
	ToolVersion   string `json:"tool_version"` // of the requeen that looked
	state.State
}

// Encode gives a state's document; the same state has the same bytes.
func Encode(st *state.State, toolVersion string) ([]byte, error) {
	if st == nil {
		return nil, errors.New("there is no observation to encode")
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(Observation{FormatVersion, toolVersion, *st}); err != nil {
		return nil, err
	}
	if b.Len() > MaxSize {
		return nil, errors.New("the observation is larger than its file may be")
	}
	return b.Bytes(), nil
}

// Write puts a state's document at path with mode 0600: it says which machines a
// cluster is made of and how they are reached.
func Write(path string, st *state.State, toolVersion string) error {
	document, err := Encode(st, toolVersion)
	if err == nil {
		err = atomicfile.Write(path, document)
	}
	if err != nil {
		return diag.Diagnostic{Severity: diag.Error, Summary: "The observation can't be written", Detail: err.Error() + ".",
			Remedy: "name a file in a directory that is there and has room"}
	}
	return nil
}
