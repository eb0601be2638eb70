package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/status"
	"github.com/requeen/requeen/schema"
)

// manyNodes is from how many nodes on workers that are fine are told in one
// line.
const manyNodes = 12

// Status writes a report: a line with the verdict, the nodes, the backups, and
// what to do. It fits 80 columns; a screen of 110 and more gets further columns.
// Colours repeat what the words say. all shows every node of a large swarm.
func (s Screen) Status(r *status.Report, all bool) {
	s.statusHead(r)
	s.statusNodes(r, all)
	s.statusBackups(r)
	s.findings(r)
}

func (s Screen) statusHead(r *status.Report) {
	q := r.Quorum
	head := fmt.Sprintf("%s is %s", r.Cluster, r.Condition.Name)
	st := green
	switch r.Verdict {
	case status.Attention:
		st = red
	case status.Unsure:
		st = yellow
	}
	leader := "no leader seen"
	if r.Leader != "" {
		leader = r.Leader + " leads"
	}
	margin := Margin(q)
	if r.Leader == "" { // what no leader confirms was only seen
		margin = strings.Replace(margin, " up,", " seen up,", 1)
	}
	s.printf("%s: %s; %s\n", s.paint(st, head), margin, leader)
	lock := "not auto-locked"
	if r.Autolock {
		lock = "auto-locked, unlock key at hand"
		if !r.UnlockKeyKnown {
			lock = "auto-locked, unlock key not at hand"
		}
	}
	line := fmt.Sprintf("Looked at %s; %s", stamp(r.ObservedAt), lock)
	if r.Epoch != "" {
		line += "; epoch " + r.Epoch
	}
	s.printf("%s\n\n", s.paint(dim, line))
}

// wide tells whether the further columns fit.
func (s Screen) wide() bool { return s.Width >= 110 }

func (s Screen) statusNodes(r *status.Report, all bool) {
	head := []string{"", "NODE", "ROLE", "STATE", "TASKS", "ENGINE", "CERT", "FREE", "SKEW"}
	if s.wide() {
		head = append(head, "AVAIL", "ADDRESS", "WHY")
	}
	rows := [][]string{head}
	hidden := 0
	for _, n := range r.Nodes {
		if !all && n.Fine && n.Role == schema.RoleWorker && len(r.Nodes) > manyNodes {
			hidden++
			continue
		}
		rows = append(rows, s.nodeRow(r, n))
	}
	s.table("", rows)
	if hidden > 0 {
		s.printf("and %s, all of them fine (-all shows them)\n", count(hidden, "worker", "workers"))
	}
	s.printf("\n")
}

func (s Screen) nodeRow(r *status.Report, n status.Node) []string {
	mark, role := "ok", n.Role
	if !n.Fine {
		mark = "!"
		if !slices.ContainsFunc(r.Findings, func(f status.Finding) bool { return f.Node == n.Name && f.Severity == status.NeedsHand }) {
			mark = "?"
		}
	}
	if n.Leader {
		role = "leader"
	}
	cert, free, skew := "-", "-", "-"
	if !n.CertificateExpiry.IsZero() {
		cert = "expired"
		if left := n.CertificateExpiry.Sub(r.ObservedAt); left > 0 {
			cert = status.Span(left)
		}
	}
	if n.DiskTotal > 0 {
		free = fmt.Sprintf("%d %%", n.DiskFree*100/n.DiskTotal)
		if s.wide() {
			free = fmt.Sprintf("%s of %s", Bytes(n.DiskFree), Bytes(n.DiskTotal))
		}
	}
	if n.Looked {
		skew = status.Span(time.Duration(n.ClockSkewSeconds * float64(time.Second)))
	}
	engine := n.EngineVersion
	if !s.wide() { // without a distribution's suffix
		engine, _, _ = strings.Cut(engine, "+")
	}
	row := []string{mark, n.Name, role, string(n.State), fmt.Sprint(n.RunningTasks), dash(engine), cert, free, skew}
	if s.wide() {
		row = append(row, dash(n.Availability), n.Address, n.Reason)
		if used := tableWidth(row); s.Width > 0 && used > s.Width {
			row[len(row)-1] = clip(n.Reason, max(20, len([]rune(n.Reason))-(used-s.Width)))
		}
	}
	return row
}

// tableWidth is about what a row takes: each column as wide as its own cell or
// the widest that is usual for it.
func tableWidth(row []string) int {
	usual := []int{2, 10, 7, 8, 5, 14, 5, 22, 6, 6, 15}
	w := 0
	for i, cell := range row {
		n := len([]rune(cell))
		if i < len(usual) {
			n = max(n, usual[i])
		}
		w += n + 2
	}
	return w
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (s Screen) statusBackups(r *status.Report) {
	if len(r.Backups) == 0 {
		return
	}
	rows := [][]string{{"", "BACKUP", "NEWEST", "TAKEN", "UPLOADED", "OPENED", "KEPT"}}
	if s.wide() {
		rows[0] = append(rows[0], "SIZE", "REPOSITORY", "WHY")
	}
	for _, b := range r.Backups {
		mark := "ok"
		switch {
		case !b.Looked:
			mark = "?"
		case b.Due:
			mark = "!"
		}
		newest, kept := dash(b.NewestID), fmt.Sprint(b.Stored)
		if b.NoUse > 0 {
			kept += fmt.Sprintf(" (%d bad)", b.NoUse)
		}
		opened := s.since(r, b.OpenedAt)
		switch {
		case b.InClear:
			opened = "in clear"
		case b.NewestID != "" && b.OpenedAt.IsZero():
			opened = "never"
		}
		row := []string{mark, b.Name, newest, s.since(r, b.TakenAt), s.since(r, b.UploadedAt), opened, kept}
		if s.wide() {
			row = append(row, Bytes(b.Bytes), b.Repository, clip(b.Reason, max(20, s.Width-120)))
		}
		rows = append(rows, row)
	}
	s.table("", rows)
	for _, b := range r.Backups {
		s.statusCopies(b)
	}
	s.printf("\n")
}

// statusCopies is a line on the repositories of a backup with copies.
func (s Screen) statusCopies(b status.Backup) {
	var parts []string
	for _, c := range b.Copies {
		word := "lacks it"
		switch {
		case !c.Looked:
			word = "could not be looked at"
		case c.Holds:
			word = "holds it"
		}
		parts = append(parts, fmt.Sprintf("%s %s (%d kept)", c.Repository, word, c.Stored))
	}
	if len(parts) > 0 {
		s.hanging("   ", fmt.Sprintf("the newest of %s: %s", b.Name, strings.Join(parts, ", ")))
	}
}

func (s Screen) since(r *status.Report, t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	age := status.Span(r.ObservedAt.Sub(t))
	if s.wide() {
		age += " ago"
	}
	return age
}

func (s Screen) findings(r *status.Report) {
	hands, open := 0, 0
	for _, f := range r.Findings {
		switch f.Severity {
		case status.NeedsHand:
			hands++
		case status.CannotTell:
			open++
		}
	}
	switch {
	case hands > 0 && open > 0:
		s.printf("%s\n", s.paint(red, fmt.Sprintf("%s a hand, %d could not be told:", needs(hands), open)))
	case hands > 0:
		s.printf("%s\n", s.paint(red, needs(hands)+" a hand:"))
	case open > 0:
		s.printf("%s\n", s.paint(yellow, count(open, "thing", "things")+" could not be told:"))
	default:
		s.printf("%s\n", s.paint(green, "Nothing needs a hand."))
	}
	for i, f := range r.Findings {
		word, st := "!", red
		switch f.Severity {
		case status.CannotTell:
			word, st = "?", yellow
		case status.Note:
			word, st = "-", dim
		}
		text := f.Text
		if f.Code != "" {
			text += " [" + f.Code + "]"
		}
		label := fmt.Sprintf("%s %2d.", word, i+1)
		for k, part := range wrap(text, s.Width-6) {
			if k == 0 {
				s.printf("%s %s\n", s.paint(st, label), part)
				continue
			}
			s.printf("      %s\n", part)
		}
		if f.Remedy != "" {
			s.arrow(f.Remedy)
		}
	}
}

// arrow writes what to type about the finding above it.
func (s Screen) arrow(remedy string) {
	for k, part := range wrap(remedy, s.Width-9) {
		if k == 0 {
			s.printf("      %s %s\n", s.paint(bold, "->"), part)
			continue
		}
		s.printf("         %s\n", part)
	}
}

func needs(n int) string {
	if n == 1 {
		return "1 thing needs"
	}
	return fmt.Sprintf("%d things need", n)
}
