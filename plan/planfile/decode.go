package planfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
)

// AlteredError says that a document is not the one that its digest was made
// over: it was edited, cut short, or never was a plan file.
type AlteredError struct{ Reason string }

// ErrAltered matches every AlteredError in errors.Is.
var ErrAltered = &AlteredError{}

func (e *AlteredError) Error() string {
	c, _ := diag.Lookup(diag.PlanAltered)
	text := diag.PlanAltered + ": the plan file is not as it was written"
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text + ". " + c.Remedy
}

// Is tells whether target is an AlteredError of any reason.
func (e *AlteredError) Is(target error) bool {
	t, ok := target.(*AlteredError)
	return ok && (t.Reason == "" || t.Reason == e.Reason)
}

// VersionError says that a document has another format version than this
// program reads.
type VersionError struct{ Version int }

func (e *VersionError) Error() string {
	if e.Version > plan.FormatVersion {
		return fmt.Sprintf("the plan file has format version %d; this requeen reads %d: use the requeen that made it, or a newer one, or plan again with this one", e.Version, plan.FormatVersion)
	}
	return fmt.Sprintf("the plan file has format version %d; this requeen reads %d: plan again", e.Version, plan.FormatVersion)
}

var digestForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Decode reads a document: its digest is verified first, then its version, then
// every key. What Encode does not write is refused.
func Decode(document []byte) (p *plan.Plan, digest string, err error) {
	body, digest, err := split(document)
	if err != nil {
		return nil, "", err
	}
	var version struct {
		FormatVersion int `json:"format_version"`
	}
	whole := append(bytes.TrimSuffix(bytes.Clone(body), []byte(",\n")), "\n}\n"...)
	if err := json.Unmarshal(whole, &version); err != nil {
		return nil, "", fmt.Errorf("the plan file is no JSON document: %w", err)
	}
	if version.FormatVersion != plan.FormatVersion {
		return nil, "", &VersionError{version.FormatVersion}
	}
	dec := json.NewDecoder(bytes.NewReader(whole))
	dec.DisallowUnknownFields()
	p = new(plan.Plan)
	if err := dec.Decode(p); err != nil {
		return nil, "", fmt.Errorf("the plan file can't be read: %w", err)
	}
	// Whoever approves a digest has read these bytes: they must be the only
	// form of what runs, with no key twice and none in other letters.
	again, _, err := Encode(p)
	if err != nil {
		return nil, "", err
	}
	if !bytes.Equal(again, document) {
		return nil, "", &AlteredError{"it is not in the form in which plans are written"}
	}
	return p, digest, nil
}

// split takes a document apart into the bytes under the digest and the digest,
// which it verifies.
func split(document []byte) (body []byte, digest string, err error) {
	switch {
	case len(document) > MaxSize:
		return nil, "", &AlteredError{fmt.Sprintf("it is larger than %d bytes", MaxSize)}
	case len(document) == 0:
		return nil, "", &AlteredError{"it is empty"}
	case bytes.Contains(document, []byte("\r\n")):
		return nil, "", &AlteredError{"its line ends were turned into CRLF (as by git or an editor on Windows)"}
	}
	at := bytes.LastIndex(document, []byte(digestPrefix))
	if at < 0 {
		return nil, "", &AlteredError{"it has no digest; it was cut short, or is no plan file"}
	}
	body, tail := document[:at], string(document[at+len(digestPrefix):])
	hex, ok := strings.CutSuffix(tail, digestSuffix)
	if !ok || !digestForm.MatchString(hex) {
		return nil, "", &AlteredError{"its digest is not the last thing in it"}
	}
	if want := sum(body); want != hex {
		return nil, "", &AlteredError{fmt.Sprintf("it says sha256:%s, its bytes have sha256:%s", hex, want)}
	}
	return body, "sha256:" + hex, nil
}
