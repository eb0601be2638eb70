package view

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Screen is where words go and what the place can show.
type Screen struct {
	Out   io.Writer
	Color bool // ANSI colours
	Width int  // columns, 0 when not a terminal: lines are then not wrapped
	Live  bool // the last line may be written over
	// Compact shows warnings, and hazards that need no approval, in a line each.
	Compact bool
}

type style string

const (
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	cyan   style = "36"
)

func (s Screen) paint(st style, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + string(st) + "m" + text + "\x1b[0m"
}

// printf writes text, whatever it holds: what would move the cursor or hide a part of
// it is written as its code.
func (s Screen) printf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !s.Color {
		fmt.Fprint(s.Out, lines(text))
		return
	}
	for at := 0; at < len(text); {
		next := painted.FindStringIndex(text[at:])
		if next == nil {
			next = []int{len(text) - at, len(text) - at}
		}
		fmt.Fprint(s.Out, lines(text[at:at+next[0]]), text[at+next[0]:at+next[1]])
		at += next[1]
	}
}

// painted is what paint writes around a text.
var painted = regexp.MustCompile(`\x1b\[(0|1|2|31|32|33|36)m`)

// paragraph writes text wrapped to the screen's width, every line indented.
func (s Screen) paragraph(indent, text string) {
	for _, line := range strings.Split(text, "\n") {
		for _, part := range wrap(line, s.Width-utf8.RuneCountInString(indent)) {
			s.printf("%s%s\n", indent, part)
		}
	}
}

// hanging is paragraph with every line but the first one set in further.
func (s Screen) hanging(indent, text string) {
	for i, part := range wrap(text, s.Width-utf8.RuneCountInString(indent)-4) {
		if i > 0 {
			part = "    " + part
		}
		s.printf("%s%s\n", indent, part)
	}
}

// labelled writes "label: text" with the text's further lines aligned below it.
func (s Screen) labelled(indent, label, text string) {
	pad := strings.Repeat(" ", utf8.RuneCountInString(label)+1)
	for i, part := range wrap(text, s.Width-utf8.RuneCountInString(indent)-len(pad)) {
		if i == 0 {
			s.printf("%s%s %s\n", indent, s.paint(bold, label), part)
			continue
		}
		s.printf("%s%s%s\n", indent, pad, part)
	}
}

// wrap breaks text at spaces into lines of at most width columns; a width of
// less than 20 means that it isn't broken.
func wrap(text string, width int) []string {
	if width < 20 || utf8.RuneCountInString(text) <= width {
		return []string{text}
	}
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// table writes rows with their columns aligned, two spaces between.
func (s Screen) table(indent string, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
			}
		}
		line := strings.TrimRight(b.String(), " ")
		if n == 0 {
			line = s.paint(bold, line)
		}
		s.printf("%s%s\n", indent, line)
	}
}
