package apply

import (
	"fmt"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
)

// Approval is what the operator agreed to.
type Approval struct {
	// Digest is the digest of the plan that was reviewed; it approves all of
	// that plan, and no other plan is run with it.
	Digest string
	// Codes are the codes that were approved one by one.
	Codes []string
	// Typed tells that the cluster's name was typed at the prompt.
	Typed bool
}

// NotApprovedError names what would have to be approved.
type NotApprovedError struct {
	Missing []string // codes, or "step:N" where a step has none
	// Digest is the plan's, where the approval names another one.
	Digest string
}

// Diagnostic is the error with its remedy.
func (e *NotApprovedError) Diagnostic() diag.Diagnostic {
	d := diag.Diagnostic{Severity: diag.Error, Code: diag.NotApproved,
		Summary: "The plan has destructive steps that are not approved",
		Detail:  "Missing: " + strings.Join(e.Missing, ", ") + ". Nothing was changed.",
		Remedy:  "Review the plan, then approve with -approve=" + strings.Join(e.Missing, ",") + " or with the plan's digest (-digest)."}
	if e.Digest != "" {
		d.Summary = "The plan is not the one that was approved"
		d.Detail = "Its digest is " + e.Digest + ", another one was given. Nothing was changed."
		d.Remedy = "Review this plan with requeen show and approve its digest, or give the file that was reviewed."
	}
	return d
}

func (e *NotApprovedError) Error() string { return e.Diagnostic().Error() }

// Unwrap gives the diagnostic.
func (e *NotApprovedError) Unwrap() error { return e.Diagnostic() }

// NeedsApproval lists what of a plan must be approved: the codes of destructive
// hazards and of every hazard of a destructive step, and "step:N" for a
// destructive step without one. It is empty for a plan of safe and
// interrupting steps.
func NeedsApproval(p *plan.Plan) []string {
	var need []string
	add := func(s string) {
		if !slices.Contains(need, s) {
			need = append(need, s)
		}
	}
	for _, h := range p.Hazards {
		if row, ok := diag.Lookup(h.Code); ok && row.Class == diag.Destructive {
			add(h.Code)
		}
	}
	for _, s := range p.Steps {
		if s.Risk != plan.Destructive {
			continue
		}
		named := false
		for _, h := range p.Hazards {
			if h.Step == s.ID {
				named = true
				add(h.Code)
			}
		}
		if !named {
			add(fmt.Sprintf("step:%d", s.ID))
		}
	}
	slices.Sort(need)
	return need
}

// Check tells whether an approval covers a plan; its error is a
// *NotApprovedError.
func Check(p *plan.Plan, digest string, a Approval) error {
	if a.Digest != "" {
		if a.Digest != digest {
			return &NotApprovedError{Digest: digest}
		}
		return nil
	}
	if a.Typed {
		return nil
	}
	var missing []string
	for _, code := range NeedsApproval(p) {
		if !slices.Contains(a.Codes, code) {
			missing = append(missing, code)
		}
	}
	if len(missing) > 0 {
		return &NotApprovedError{Missing: missing}
	}
	return nil
}
