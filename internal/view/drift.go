package view

import (
	"fmt"
	"time"

	"github.com/requeen/requeen/plan"
)

// DifferenceLine is something that is otherwise than it is declared.
type DifferenceLine struct {
	Line
	plan.Unmet
}

// BackupAgeLine is how a backup block stands.
type BackupAgeLine struct {
	Line
	Backup        string    `json:"backup"` // the backup block's label
	Repository    string    `json:"repository"`
	ID            string    `json:"id,omitempty"` // of the newest backup that counts; empty where none does
	TakenAt       time.Time `json:"taken_at,omitzero"`
	AgeSeconds    int64     `json:"age_seconds,omitempty"`
	MaxAgeSeconds int64     `json:"max_age_seconds"`
	Due           bool      `json:"due"`
	Reason        string    `json:"reason"`
}

// UnseenLine is what was not looked at.
type UnseenLine struct {
	Line
	Node       string `json:"node,omitempty"` // the node's name in the configuration
	Repository string `json:"repository,omitempty"`
	Reason     string `json:"reason"`
}

// DriftSummaryLine is the last line of plan -refresh-only.
type DriftSummaryLine struct {
	Line
	Differences int       `json:"differences"`
	Due         int       `json:"due"`    // backups
	Unseen      int       `json:"unseen"` // hosts and repositories that were not looked at
	Drift       bool      `json:"drift"`
	Summary     string    `json:"summary"`
	ObservedAt  time.Time `json:"observed_at"`
}

// DriftLines is what differs as lines: a version line, those that are given, the
// condition, one for each difference, backup and thing not seen, and a summary.
func DriftLines(d *plan.Drift, tool string, given ...any) []any {
	of := func(kind string) Line { return line(kind, d.ObservedAt) }
	lines := append([]any{NewVersionLine("plan", tool, d.ObservedAt)}, given...)
	lines = append(lines, ConditionLine{of(LineCondition), d.Cluster, d.Condition.Name, d.Condition.Reason})
	for _, u := range d.Differs {
		lines = append(lines, DifferenceLine{of(LineDifference), u})
	}
	for _, b := range d.Backups {
		lines = append(lines, BackupAgeLine{of(LineBackupAge), b.Backup, b.Repository, b.ID, b.TakenAt,
			int64(b.Age / time.Second), int64(b.MaxAge / time.Second), b.Due, b.Reason})
	}
	for _, u := range d.Unseen {
		lines = append(lines, UnseenLine{of(LineUnseen), u.Node, u.Repository, u.Reason})
	}
	return append(lines, DriftSummaryLine{of(LineDriftSummary), len(d.Differs), due(d), len(d.Unseen), d.Drifted(), driftSummary(d), d.ObservedAt})
}

// Drift writes what differs between the declaration and what was observed.
func (s Screen) Drift(d *plan.Drift) {
	s.printf("%s %s\n", s.paint(bold, "Cluster "+d.Cluster), s.paint(dim, "observed "+stamp(d.ObservedAt)))
	s.labelled("", "Condition:", fmt.Sprintf("%s. %s", d.Condition.Name, d.Condition.Reason))
	s.printf("\n")
	if len(d.Differs) > 0 {
		s.printf("%s\n", s.paint(bold, "Otherwise than declared:"))
		s.goals(d.Differs)
		s.printf("\n")
	}
	if len(d.Backups) > 0 {
		s.printf("%s\n", s.paint(bold, "Backups:"))
	}
	for _, b := range d.Backups {
		word := s.paint(green, "fresh")
		if b.Due {
			word = s.paint(yellow, "due")
		}
		s.printf("  %s %s\n", s.paint(bold, b.Backup), word)
		s.paragraph("      ", b.Reason)
	}
	if len(d.Backups) > 0 {
		s.printf("\n")
	}
	if len(d.Unseen) > 0 {
		s.Unseen(d.Unseen)
		s.printf("\n")
	}
	if !d.Drifted() && d.Sure() {
		s.printf("%s\n\n", s.paint(green, "Nothing differs: what is declared is there."))
	}
	s.labelled("", "Summary:", driftSummary(d))
}

// Unseen writes what was not looked at, and why.
func (s Screen) Unseen(list []plan.Unseen) {
	if len(list) > 0 {
		s.printf("%s\n", s.paint(yellow, "Not looked at:"))
	}
	for _, u := range list {
		name := u.Node
		if name == "" {
			name = "repository " + u.Repository
		}
		s.paragraph("  ", name+": "+u.Reason)
	}
}

func due(d *plan.Drift) int {
	n := 0
	for _, b := range d.Backups {
		if b.Due {
			n++
		}
	}
	return n
}

func driftSummary(d *plan.Drift) string {
	text := fmt.Sprintf("the cluster is %s; %s from what is declared; %s due", d.Condition.Name,
		count(len(d.Differs), "difference", "differences"), count(due(d), "backup", "backups"))
	if n := len(d.Unseen); n > 0 {
		text += fmt.Sprintf("; %s not looked at", count(n, "host or repository", "hosts or repositories"))
	}
	return text + ". Nothing was planned."
}
