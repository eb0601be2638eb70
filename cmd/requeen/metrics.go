package main

import (
	"context"
	"strings"

	"github.com/requeen/requeen/internal/atomicfile"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/status"
	"github.com/requeen/requeen/internal/view"
)

// writeMetrics looks, and writes what was seen for node_exporter's textfile collector.
func (s *session) writeMetrics(ctx context.Context, file string) error {
	r, err := s.judge(ctx, status.Defaults())
	if err != nil {
		return err
	}
	return metricsFile(file, r)
}

// metricsFile writes the file as a whole: the collector reads it at any time, as
// another user.
func metricsFile(file string, r *status.Report) error {
	if !strings.HasSuffix(file, ".prom") {
		return diag.Diagnostic{Severity: diag.Error, Summary: file + " does not end in .prom", Detail: "The textfile collector reads no other file.", Remedy: "name a .prom file in -textfile"}
	}
	return atomicfile.WriteMode(file, []byte(view.Metrics(r)), 0o644)
}
