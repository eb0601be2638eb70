package view

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 3, 1, 3, 10, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

func events() []RunEvent {
	return []RunEvent{
		{Type: "run_started", Text: "1 backup", At: at(0)},
		{Type: "step_started", Step: 1, Kind: "stop", Node: "m2", At: at(0)},
		{Type: "step_done", Step: 1, Kind: "stop", Node: "m2", Text: "stopped", At: at(1.5)},
		{Type: "step_started", Step: 2, Kind: "verify", Node: "m2", At: at(2)},
		{Type: "step_progress", Step: 2, Kind: "verify", Node: "m2", Stage: "store", Bytes: 0, Total: 2 << 20, At: at(20)},
		{Type: "step_progress", Step: 2, Kind: "verify", Node: "m2", Stage: "store", Bytes: 1 << 20, Total: 2 << 20, At: at(21)},
		{Type: "step_failed", Step: 2, Kind: "verify", Node: "m2", Error: "no space left", At: at(22)},
	}
}

func shown(s Screen) string {
	var b strings.Builder
	s.Out = &b
	r := &Run{Screen: s, Steps: 2}
	for _, e := range events() {
		r.Event(e)
	}
	return b.String()
}

func TestRunInPlainLines(t *testing.T) {
	want := `  1 backup
[1/2] stop     m2     …
[1/2] stop     m2     done after 1.5 s: stopped
[2/2] verify   m2     …
[2/2] verify   m2     store 0 B of 2.0 MiB
[2/2] verify   m2     failed after 20.0 s: no space left
`
	if d := cmp.Diff(want, shown(Screen{})); d != "" {
		t.Error(d)
	}
}

func TestRunOnALiveScreenShowsTheRate(t *testing.T) {
	text := shown(Screen{Live: true, Width: 100})
	for _, want := range []string{"\r\x1b[K[2/2] verify   m2     store 1.0 MiB of 2.0 MiB (1.0 MiB/s)", "done after 1.5 s"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
	for _, line := range strings.Split(shown(Screen{Live: true, Width: 20}), "\r\x1b[K") {
		if !strings.Contains(line, "\n") && len([]rune(line)) > 19 {
			t.Errorf("the live line %q is wider than the screen and would not be written over", line)
		}
	}
}

func TestAStageWithoutBytes(t *testing.T) {
	var b strings.Builder
	r := &Run{Screen: Screen{Out: &b, Live: true, Width: 100}, Steps: 2}
	r.Event(RunEvent{Type: "step_started", Step: 2, Kind: "verify", Node: "m2", At: at(2)})
	r.Event(RunEvent{Type: "step_progress", Step: 2, Kind: "verify", Node: "m2", Stage: "open", At: at(3)})
	if have := b.String(); !strings.HasSuffix(have, "verify   m2     open") {
		t.Errorf("a stage that moves no bytes is shown as %q", have)
	}
}

func TestUnits(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 3 << 29: "1.5 GiB"} {
		if have := Bytes(n); have != want {
			t.Errorf("Bytes(%d) = %s, want %s", n, have, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "in the future", 59 * time.Second: "59 s", 61 * time.Minute: "1 h 1 min", 49 * time.Hour: "2 d 1 h",
	} {
		if have := Age(start, start.Add(-d)); have != want {
			t.Errorf("Age %s = %s, want %s", d, have, want)
		}
	}
}
