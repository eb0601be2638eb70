package view

import (
	"fmt"
	"strings"
	"time"
)

// RunEvent is one thing that happened in a run, in the words that apply's
// events carry.
type RunEvent struct {
	Type, Kind, Node, Text, Stage, Backup, Error, Remedy string
	At                                                   time.Time
	Step                                                 int
	Bytes, Total                                         int64
}

// Run writes the progress of a run: on a live screen the current step's line
// is written over, elsewhere each thing is a plain line.
type Run struct {
	Screen Screen
	Steps  int // in the plan
	// Kinds and Nodes are the widths of the steps' columns, as StepWidths tells;
	// 0 is that of a plan of backups.
	Kinds, Nodes int

	started   time.Time // of the current step
	stage     string
	stageFrom time.Time
	open      bool // a live line without its newline
	lastPlain time.Time
}

// Event writes what an event has to say.
func (r *Run) Event(e RunEvent) {
	switch e.Type {
	case "step_started":
		r.started, r.stage = e.At, ""
		r.line(e, "…")
	case "step_progress":
		r.progress(e)
	case "step_done":
		r.finish(e, r.Screen.paint(green, "done"), e.At.Sub(r.started))
	case "step_skipped":
		r.finish(e, r.Screen.paint(green, "done already"), 0)
	case "step_failed":
		r.finish(e, r.Screen.paint(red, "failed"), e.At.Sub(r.started))
	case "run_failed":
		r.close() // the error itself is written as a diagnostic by the command
	default:
		r.close()
		if e.Text != "" {
			r.Screen.paragraph("  ", e.Text)
		}
	}
}

func (r *Run) head(e RunEvent) string {
	return fmt.Sprintf("[%d/%d] %-*s %-*s", e.Step, r.Steps, max(leastKind, r.Kinds), e.Kind, max(leastNode, r.Nodes), e.Node)
}

func (r *Run) line(e RunEvent, text string) {
	if r.Screen.Live {
		line := plain(r.head(e) + " " + text)
		if w := r.Screen.Width; w > 1 && len([]rune(line)) > w-1 {
			line = string([]rune(line)[:w-1])
		}
		fmt.Fprintf(r.Screen.Out, "\r\x1b[K%s", line)
		r.open = true
		return
	}
	r.Screen.printf("%s %s\n", r.head(e), text)
}

// plainEvery is the least time between two progress lines where lines can't be
// written over, so that a log of CI stays readable.
const plainEvery = 10 * time.Second

func (r *Run) progress(e RunEvent) {
	text := e.Text
	if e.Stage != "" {
		if e.Stage != r.stage {
			r.stage, r.stageFrom = e.Stage, e.At
		}
		text = r.transfer(e)
	}
	if !r.Screen.Live {
		if e.At.Sub(r.lastPlain) < plainEvery {
			return
		}
		r.lastPlain = e.At
	}
	r.line(e, text)
}

func (r *Run) transfer(e RunEvent) string {
	if e.Bytes == 0 && e.Total == 0 {
		return e.Stage // one that moves no bytes of its own
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", e.Stage, Bytes(e.Bytes))
	if e.Total > 0 {
		fmt.Fprintf(&b, " of %s", Bytes(e.Total))
	}
	if d := e.At.Sub(r.stageFrom).Seconds(); d > 0.2 {
		fmt.Fprintf(&b, " (%s/s)", Bytes(int64(float64(e.Bytes)/d)))
	}
	return b.String()
}

func (r *Run) finish(e RunEvent, word string, took time.Duration) {
	if r.Screen.Live {
		fmt.Fprint(r.Screen.Out, "\r\x1b[K")
	}
	r.open = false
	text := word
	if took >= 100*time.Millisecond {
		text += fmt.Sprintf(" after %.1f s", took.Seconds())
	}
	if e.Text != "" {
		text += ": " + e.Text
	}
	if e.Error != "" {
		text += ": " + e.Error
	}
	r.Screen.printf("%s %s\n", r.head(e), text)
}

func (r *Run) close() {
	if r.open {
		fmt.Fprintln(r.Screen.Out)
		r.open = false
	}
}
