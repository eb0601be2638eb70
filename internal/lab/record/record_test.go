package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// written gives what lines held, oldest first, and when.
func written(t *testing.T, parts ...string) []string {
	t.Helper()
	term := newTerminal(12)
	var rest []byte
	for i, part := range parts {
		var err error
		if rest, err = term.write(time.Duration(i)*time.Second, append(rest, part...)); err != nil {
			t.Fatal(err)
		}
	}
	if len(rest) > 0 {
		t.Errorf("left over: %q", rest)
	}
	var list []string
	for _, v := range term.versions {
		list = append(list, strings.TrimSpace(strings.Repeat("\n", v.line)+text(v.cells)+" "+v.from.String()+"-"+v.to.String()))
	}
	return list
}

func TestTerminal(t *testing.T) {
	for name, c := range map[string]struct{ parts, want []string }{
		"a line that rewrites itself": {[]string{"[1/2] …", "\r\x1b[Khalf", "\r\x1b[Kdone\r\n"},
			[]string{"[1/2] … 0s-1s", "half 1s-2s", "done 2s-0s"}},
		"what is in between is not seen": {[]string{"a\r\x1b[Kb"}, []string{"b 0s-0s"}},
		"cut within a character":         {[]string{"\xe2\x80", "\xa6"}, []string{"… 1s-0s"}},
		"cut within a sequence":          {[]string{"\x1b[3", "2mok\x1b[0m"}, []string{"ok 1s-0s"}},
		"longer than the terminal":       {[]string{"0123456789abcd"}, []string{"0123456789ab 0s-0s", "cd 0s-0s"}},
	} {
		have := written(t, c.parts...)
		for i := range have {
			have[i] = strings.TrimSpace(have[i])
		}
		if name == "longer than the terminal" && len(have) == 2 && strings.HasPrefix(have[0], "cd") {
			have[0], have[1] = have[1], have[0] // both at once, in any order
		}
		if strings.Join(have, "|") != strings.Join(c.want, "|") {
			t.Errorf("%s: %q, want %q", name, have, c.want)
		}
	}
}

// TestUnknownSequences: what this terminal does not know must not be drawn
// wrong in silence.
func TestUnknownSequences(t *testing.T) {
	for _, text := range []string{"\x1b[2J", "\x1b[3A", "\x1b]0;title\a", "\x1b[48m", "\a", "\x1b[1K"} {
		if _, err := newTerminal(80).write(0, []byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestWaitsAreShortened(t *testing.T) {
	picture, err := draw([]chunk{{0, []byte("first\r\n")}, {time.Hour, []byte("second\r\n")}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "animation:7.50s step-end infinite"; !strings.Contains(string(picture), want) {
		t.Errorf("an hour is not shortened: no %q in\n%s", want, picture)
	}
	if again, _ := draw([]chunk{{0, []byte("first\r\n")}, {time.Hour, []byte("second\r\n")}}); string(again) != string(picture) {
		t.Error("one recording is drawn in two ways")
	}
}

// picture reads demo.svg: it is whole XML, and its lines are what is shown.
func picture(t *testing.T) (data []byte, lines []string) {
	t.Helper()
	data, err := os.ReadFile("../demo.svg")
	if err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(strings.NewReader(string(data)))
	depth := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return data, lines
		}
		if err != nil {
			t.Fatalf("demo.svg is no XML: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local == "text" {
				lines = append(lines, "")
			}
			if token.Name.Local == "tspan" {
				depth++
				if n := len(lines) - 1; lines[n] != "" {
					lines[n] += " "
				}
			}
			if token.Name.Local == "script" || token.Name.Local == "image" {
				t.Errorf("demo.svg has a <%s>", token.Name.Local)
			}
		case xml.EndElement:
			if token.Name.Local == "tspan" {
				depth--
			}
		case xml.CharData:
			if depth > 0 {
				lines[len(lines)-1] += string(token)
			}
		}
	}
}

// TestDemoPictureIsFresh compares the commands that the picture shows with
// those of demo.sh.
func TestDemoPictureIsFresh(t *testing.T) {
	_, lines := picture(t)
	var shown []string
	for _, line := range lines {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			shown = append(shown, command)
		}
	}
	script, err := os.ReadFile("../demo.sh")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	said := regexp.MustCompile(`(?m)^(run|say) (.*?)( \|\| .*)?$`)
	values := strings.NewReplacer(`"`, "", "$name", "demo", "$dir", "/var/lib/requeen-lab/demo")
	for _, m := range said.FindAllStringSubmatch(string(script), -1) {
		command := values.Replace(m[2])
		if m[1] == "run" {
			command = "requeen " + command
		}
		want = append(want, command)
	}
	if len(want) < 8 {
		t.Fatalf("demo.sh was not understood: %q", want)
	}
	if strings.Join(shown, "\n") != strings.Join(want, "\n") {
		t.Errorf("demo.svg is stale: make recording\nit shows\n  %s\ndemo.sh runs\n  %s", strings.Join(shown, "\n  "), strings.Join(want, "\n  "))
	}
	if last := lines[len(lines)-1]; !strings.Contains(last, "nothing of the lab is left") {
		t.Errorf("the picture ends with %q", last)
	}
}

// TestDemoPictureTellsNothing looks for what does not belong on a page: keys,
// and places of the machine that it was recorded on.
func TestDemoPictureTellsNothing(t *testing.T) {
	data, lines := picture(t)
	if len(data) > 400<<10 {
		t.Errorf("demo.svg has %d KiB", len(data)>>10)
	}
	path := regexp.MustCompile(`(?:^|[\s"'=(/])(/[a-z][\w./-]+)`)
	for _, line := range lines {
		for _, m := range path.FindAllStringSubmatch(line, -1) {
			if !strings.HasPrefix(m[1], "/var/lib/requeen-lab/demo") && !strings.HasPrefix(m[1], "/tmp/") && !strings.HasPrefix(m[1], "/var/lib/docker/swarm") {
				t.Errorf("the picture shows %s", m[1])
			}
		}
		for _, secret := range []string{"AGE-SECRET-KEY", "SWMKEY-", "SWMTKN-", "PRIVATE KEY"} {
			if strings.Contains(strings.ToUpper(line), secret) {
				t.Errorf("the picture shows a secret: %s…", secret)
			}
		}
	}
}
