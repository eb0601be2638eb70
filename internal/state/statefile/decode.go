package statefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// Read reads the document at path.
func Read(path string) (*Observation, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, refuse("The observation can't be read", err.Error()+".", "name a file that requeen observe -out has written")
	}
	defer f.Close()
	document, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, refuse("The observation can't be read", err.Error()+".", "name a file that requeen observe -out has written")
	}
	o, err := Decode(document)
	if err != nil {
		var d diag.Diagnostic
		if errors.As(err, &d) {
			d.Detail = path + ": " + d.Detail
			return nil, d
		}
		return nil, err
	}
	return o, nil
}

// Decode reads a document: its version first, then every key. A key that this
// program does not know is refused, since a plan that overlooks what was seen is
// not the plan of what was seen.
func Decode(document []byte) (*Observation, error) {
	if len(document) > MaxSize {
		return nil, refuse("The observation is too large", fmt.Sprintf("It has more than %d bytes.", MaxSize), again)
	}
	if err := version(document); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.DisallowUnknownFields()
	o := new(Observation)
	if err := dec.Decode(o); err != nil {
		if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
			return nil, refuse("The observation has a field that is not known", fmt.Sprintf("The field %s is none of format %d.", name, FormatVersion),
				"observe again with the requeen that plans, or plan with the one that observed; never edit the file")
		}
		return nil, refuse("The observation can't be read", err.Error()+".", again)
	}
	switch {
	case dec.More():
		return nil, refuse("The observation can't be read", "Something stands behind the document.", again)
	case o.ObservedAt.IsZero():
		return nil, refuse("The observation can't be read", "It does not say when it was made (observed_at), and a plan of it is made for that time.", again)
	}
	return o, nil
}

const again = "observe again: requeen observe -out FILE"

// version looks at nothing but the version: a newer format may have any other form.
func version(document []byte) error {
	var head struct {
		FormatVersion *int            `json:"format_version"`
		PlanDigest    json.RawMessage `json:"digest"`
	}
	err := json.NewDecoder(bytes.NewReader(document)).Decode(&head)
	switch {
	case errors.Is(err, io.EOF):
		return refuse("The observation is empty", "There is no document in it.", again)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return refuse("The observation was cut short", "Its document does not end.", again+", and see that the whole file is passed on")
	case err != nil:
		return refuse("The observation can't be read", "It is no JSON document: "+err.Error()+".", again)
	case head.PlanDigest != nil:
		return refuse("This is a plan file, not an observation", "-state takes what requeen observe -out writes.", "name that file; a plan is shown by requeen show FILE")
	case head.FormatVersion == nil:
		return refuse("This is no observation", "It has no format_version.", again)
	case *head.FormatVersion > FormatVersion:
		return refuse("The observation is of a newer requeen", fmt.Sprintf("It has format version %d; this requeen reads %d.", *head.FormatVersion, FormatVersion),
			"plan with the requeen that observed, or a newer one, or observe again with this one")
	case *head.FormatVersion < FormatVersion:
		return refuse("The observation is of another format", fmt.Sprintf("It has format version %d; this requeen reads %d.", *head.FormatVersion, FormatVersion), again)
	}
	return nil
}

func refuse(summary, detail, remedy string) error {
	return diag.Diagnostic{Severity: diag.Error, Summary: summary, Detail: detail, Remedy: remedy}
}

// Observed is the state in the document.
func (o *Observation) Observed() *state.State { return &o.State }
