package apply

import (
	"errors"
	"fmt"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
)

// dataNotReady says of data that can't be put back why, before a service was stopped for
// them.
func dataNotReady(s plan.Step, err error) error {
	id := s.DataRestore.Kind + "." + s.DataRestore.Name
	d, ok := diagnosticOf(err)
	var used *DataUsedError
	switch {
	case errors.As(err, &used):
		d, _ = diagnosticOf(dataUsed(used))
	case !ok:
		d = diag.Diagnostic{Summary: fmt.Sprintf("%s can't be restored on %s", id, s.Node), Detail: ended(err.Error()),
			Remedy: "Mend what the message names, then run requeen apply again; to restore without it, plan with -exclude=" + id + "."}
	}
	d.Severity, d.Node = diag.Error, s.Node
	d.Detail = strings.TrimSpace(ended(d.Detail) + " No service was stopped for it.")
	return &RunError{Step: s.ID, Err: err, Diag: d}
}
