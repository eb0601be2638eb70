package main

import (
	"context"
	"errors"

	"github.com/requeen/requeen/internal/diag"
)

// explain makes diagnostics of an error, so that every failure is shown in one
// form.
func explain(err error) diag.Diagnostics {
	if errors.Is(err, context.Canceled) {
		return diag.Diagnostics{{Severity: diag.Error, Summary: "Interrupted", Detail: "Nothing was changed."}}
	}
	return diag.From(err)
}
