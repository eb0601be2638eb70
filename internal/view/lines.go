package view

import (
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
)

// LinesVersion is the version of the lines of plan -json and apply -json. Within a
// version lines and fields are added, and none is taken away or changed.
const LinesVersion = 1

// Line is what every line has.
type Line struct {
	FormatVersion int       `json:"format_version"`
	Type          string    `json:"type"`
	At            time.Time `json:"at"` // when it was known, UTC; of a plan's lines its planned_at
}

func line(kind string, at time.Time) Line { return Line{LinesVersion, kind, at.UTC().Round(0)} }

// The types of the lines that are no event of a run.
const (
	LineVersion      = "version"
	LineObservation  = "observation"
	LineCondition    = "condition"
	LinePartial      = "partial"
	LineUndecided    = "undecided"
	LineRecovery     = "recovery"
	LineStep         = "planned_step"
	LineHazard       = "hazard"
	LineUnmet        = "unmet"
	LinePlanSummary  = "plan_summary"
	LineDifference   = "difference"
	LineBackupAge    = "backup_age"
	LineUnseen       = "unseen"
	LineDriftSummary = "drift_summary"
	LineDiagnostic   = "diagnostic"
)

// VersionLine is the first line of a stream, and the first of apply's own lines.
type VersionLine struct {
	Line
	Requeen string `json:"requeen"` // the program's version
	Command string `json:"command"` // plan or apply
}

// ObservationLine tells that a plan was made from a file, and how old that was.
type ObservationLine struct {
	Line
	File       string    `json:"file"`
	ObservedAt time.Time `json:"observed_at"`
	AgeSeconds int64     `json:"age_seconds"` // when it was planned from; negative where it is dated in the future
}

// ConditionLine is the cluster's condition.
type ConditionLine struct {
	Line
	Cluster   string             `json:"cluster"`
	Condition plan.ConditionName `json:"condition"`
	Reason    string             `json:"reason"`
}

// PartialLine tells that a plan is about its targets alone.
type PartialLine struct {
	Line
	Targets []string `json:"targets"`
	Text    string   `json:"text"`
}

// UndecidedLine tells until when the loss of the quorum can't be judged.
type UndecidedLine struct {
	Line
	Until time.Time `json:"until"`
}

// RecoveryLine is what a plan brings back, and on which evidence.
type RecoveryLine struct {
	Line
	plan.Recovery
}

// StepLine is a step of a plan.
type StepLine struct {
	Line
	plan.Step
}

// HazardLine is something to know before approving.
type HazardLine struct {
	Line
	plan.Hazard
}

// UnmetLine is a goal that a plan does not reach.
type UnmetLine struct {
	Line
	plan.Unmet
}

// PlanSummaryLine is the last line of a plan.
type PlanSummaryLine struct {
	Line
	Steps      int       `json:"steps"`
	Unmet      int       `json:"unmet"`
	Hazards    int       `json:"hazards"`
	Summary    string    `json:"summary"`
	PlanDigest string    `json:"plan_digest"` // by which the plan is approved
	PlannedAt  time.Time `json:"planned_at"`
	Expires    time.Time `json:"expires,omitzero"` // until when a plan that destroys may be begun; absent where it destroys nothing
}

// DiagnosticLine is an error that ended the command; people read the same on
// standard error.
type DiagnosticLine struct {
	Line
	diag.Diagnostic
}

// NewVersionLine is the first line of a command's output.
func NewVersionLine(command, tool string, at time.Time) VersionLine {
	return VersionLine{line(LineVersion, at), tool, command}
}

// PlanLines is a plan as lines: a version line, those that are given, the
// condition, what the plan is limited to, until when it is undecided, what is
// recovered and on which evidence, one for each step, hazard and unmet goal, and a
// summary with the digest. The same plan has the same lines.
func PlanLines(p *plan.Plan, digest string, given ...any) []any {
	of := func(kind string) Line { return line(kind, p.PlannedAt) }
	lines := append([]any{NewVersionLine("plan", p.ToolVersion, p.PlannedAt)}, given...)
	lines = append(lines, ConditionLine{of(LineCondition), p.Cluster, p.Condition.Name, p.Condition.Reason})
	if len(p.Targets) > 0 {
		lines = append(lines, PartialLine{of(LinePartial), p.Targets, PartialText(p)})
	}
	if !p.UndecidedUntil.IsZero() {
		lines = append(lines, UndecidedLine{of(LineUndecided), p.UndecidedUntil.UTC()})
	}
	if p.Recovery != nil {
		lines = append(lines, RecoveryLine{of(LineRecovery), *p.Recovery})
	}
	for _, step := range p.Steps {
		lines = append(lines, StepLine{of(LineStep), step})
	}
	for _, h := range p.Hazards {
		lines = append(lines, HazardLine{of(LineHazard), h})
	}
	for _, u := range p.Unmet {
		lines = append(lines, UnmetLine{of(LineUnmet), u})
	}
	return append(lines, PlanSummaryLine{of(LinePlanSummary), len(p.Steps), len(p.Unmet), len(p.Hazards), p.Summary, digest, p.PlannedAt.UTC(), p.BegunUntil().UTC()})
}

// DiagnosticLines are what ended a command as lines.
func DiagnosticLines(ds diag.Diagnostics, at time.Time) []any {
	lines := make([]any, 0, len(ds))
	for _, d := range ds {
		lines = append(lines, DiagnosticLine{line(LineDiagnostic, at), d})
	}
	return lines
}
