package main

import (
	"bytes"
	"fmt"
	"html"
	"sort"
	"strings"
	"time"
)

const (
	charWidth  = 8.0
	lineHeight = 18
	margin     = 14
	barHeight  = 30

	longestWait = 1500 * time.Millisecond // longer ones are shortened to it
	shortest    = 80 * time.Millisecond   // changes that are closer are shown as one
	lastLook    = 6 * time.Second         // how long the end stands
)

// draw makes the picture of a recording.
func draw(chunks []chunk) ([]byte, error) {
	t := newTerminal(columns)
	var rest []byte
	at, last := time.Duration(0), time.Duration(0)
	held := 0 // lines that were read before the last prompt
	for _, c := range paced(chunks) {
		wait := min(c.at-last, longestWait)
		last = c.at
		if isPrompt(c.data) {
			wait = reading(len(t.lines) - held)
			held = len(t.lines)
		}
		at += wait
		var err error
		if rest, err = t.write(at, append(rest, c.data...)); err != nil {
			return nil, err
		}
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("the recording ends within %q", rest)
	}
	return svg(t, at+lastLook), nil
}

// paced joins chunks that come so close that nobody sees them apart, but for
// prompts: those begin a chunk of their own.
func paced(chunks []chunk) []chunk {
	var list []chunk
	for _, c := range chunks {
		for i, part := range splitPrompt(c.data) {
			if n := len(list); n > 0 && i == 0 && !isPrompt(part) && c.at-list[n-1].at < shortest {
				list[n-1].data = append(append([]byte(nil), list[n-1].data...), part...)
				continue
			}
			list = append(list, chunk{c.at, part})
		}
	}
	return list
}

// prompt is how demo.sh begins a command line.
var prompt = []byte("\x1b[1m$ ")

func isPrompt(data []byte) bool { return bytes.HasPrefix(data, prompt) }

// splitPrompt cuts before and behind every prompt's line.
func splitPrompt(data []byte) [][]byte {
	var parts [][]byte
	for {
		i := bytes.Index(data, prompt)
		if i < 0 {
			return append(parts, data)
		}
		if i > 0 {
			parts = append(parts, data[:i])
		}
		data = data[i:]
		end := bytes.IndexByte(data, '\n') + 1
		if end == 0 || end == len(data) {
			return append(parts, data)
		}
		parts, data = append(parts, data[:end]), data[end:]
	}
}

// reading is how long somebody needs for so many lines.
func reading(lines int) time.Duration {
	return min(max(time.Second, time.Duration(lines)*130*time.Millisecond), 4*time.Second)
}

// palette are the colours of the default look, of 31 to 37, and of faint text.
var palette = map[int]string{0: "#d7dae0", 31: "#ff7b72", 32: "#7ee787", 33: "#f2cc60", 34: "#79c0ff", 35: "#d2a8ff", 36: "#76e3ea", 37: "#f0f3f6"}

const dimmed = "#8b949e"

func svg(t *terminal, total time.Duration) []byte {
	width, height := int(columns*charWidth)+2*margin, rows*lineHeight+2*margin+barHeight
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="requeen backs up a manager of a real swarm">`+"\n",
		width, height, width, height)
	var body bytes.Buffer
	s := &sheet{total: total, names: map[string]string{}}
	versions := append([]version(nil), t.versions...)
	sort.SliceStable(versions, func(i, j int) bool {
		a, b := versions[i], versions[j]
		return a.line < b.line || a.line == b.line && a.from < b.from
	})
	for _, v := range versions {
		if text(v.cells) != "" {
			fmt.Fprintf(&body, "<text class=\"%s\" y=\"%d\">%s</text>\n", s.window(v.from, v.to), (v.line+1)*lineHeight-5, runs(v.cells))
		}
	}
	fmt.Fprintf(&b, "<style>\ntext{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;white-space:pre;fill:%s}\n", palette[0])
	fmt.Fprintf(&b, ".b{font-weight:bold}.d{fill:%s}", dimmed)
	for _, n := range []int{31, 32, 33, 34, 35, 36, 37} {
		fmt.Fprintf(&b, ".c%d{fill:%s}", n, palette[n])
	}
	fmt.Fprintf(&b, "\n.a,#scroll{animation:%.2fs step-end infinite}\n", total.Seconds())
	b.WriteString(s.css.String())
	b.WriteString(s.scroll(t))
	b.WriteString("@media (prefers-reduced-motion:reduce){.a,#scroll{animation:none!important}}\n</style>\n")
	fmt.Fprintf(&b, `<rect width="%d" height="%d" rx="8" fill="#161b22" stroke="#30363d"/>`+"\n", width, height)
	for i, colour := range []string{"#ff5f57", "#febc2e", "#28c840"} {
		fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="6" fill="%s"/>`, margin+8+i*20, barHeight/2+2, colour)
	}
	fmt.Fprintf(&b, "\n<svg x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"><g id=\"scroll\">\n", margin, barHeight+margin/2, int(columns*charWidth), rows*lineHeight)
	b.Write(body.Bytes())
	b.WriteString("</g></svg>\n</svg>\n")
	return b.Bytes()
}

// runs draws a line: a span for each stretch of one look, with its place and
// length, so that every font keeps the columns.
func runs(cells []cell) string {
	var b strings.Builder
	for len(cells) > 0 && cells[len(cells)-1].r == ' ' {
		cells = cells[:len(cells)-1]
	}
	for from := 0; from < len(cells); {
		to := from + 1
		for to < len(cells) && cells[to].style == cells[from].style {
			to++
		}
		begin := from
		for begin < to && cells[begin].r == ' ' {
			begin++
		}
		if words := text(cells[begin:to]); words != "" {
			n := len([]rune(words))
			fmt.Fprintf(&b, `<tspan x="%g" textLength="%g"%s>%s</tspan>`, float64(begin)*charWidth, float64(n)*charWidth,
				class(cells[from].style), strings.ReplaceAll(html.EscapeString(words), "&#39;", "'"))
		}
		from = to
	}
	return b.String()
}

func class(s style) string {
	var names []string
	if s.bold {
		names = append(names, "b")
	}
	if s.dim {
		names = append(names, "d")
	}
	if s.color >= 90 {
		s.color -= 60
	}
	if s.color > 30 {
		names = append(names, fmt.Sprintf("c%d", s.color))
	}
	if len(names) == 0 {
		return ""
	}
	return ` class="` + strings.Join(names, " ") + `"`
}

// sheet collects the animations: one for each stretch of time in which
// something is seen.
type sheet struct {
	total time.Duration
	names map[string]string
	css   bytes.Buffer
}

func (s *sheet) percent(at time.Duration) string {
	return fmt.Sprintf("%.2f%%", 100*at.Seconds()/s.total.Seconds())
}

// window is the class of what is seen from a time on, to another or to the end.
// Without animation what stays is seen, and the rest is not.
func (s *sheet) window(from, to time.Duration) string {
	key := s.percent(from) + s.percent(to)
	if name, ok := s.names[key]; ok {
		return "a " + name
	}
	name := fmt.Sprintf("t%d", len(s.names))
	s.names[key] = name
	still, frames := "", fmt.Sprintf("0%%{opacity:0}%s{opacity:1}", s.percent(from))
	if to > 0 {
		still, frames = "opacity:0;", frames+fmt.Sprintf("%s{opacity:0}", s.percent(to))
	}
	fmt.Fprintf(&s.css, ".%s{%sanimation-name:%s}@keyframes %s{%s}\n", name, still, name, name, frames)
	return "a " + name
}

// scroll keeps the newest line in sight.
func (s *sheet) scroll(t *terminal) string {
	type move struct {
		at  time.Duration
		top int
	}
	moves := []move{{0, 0}}
	for _, v := range t.versions {
		top := v.line + 1 - rows
		if last := &moves[len(moves)-1]; top > last.top {
			if s.percent(last.at) == s.percent(v.from) {
				last.top = top
			} else {
				moves = append(moves, move{v.from, top})
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "#scroll{animation-name:scroll;transform:translateY(%dpx)}@keyframes scroll{", -lineHeight*moves[len(moves)-1].top)
	for _, m := range moves {
		fmt.Fprintf(&b, "%s{transform:translateY(%dpx)}", s.percent(m.at), -lineHeight*m.top)
	}
	b.WriteString("}\n")
	return b.String()
}
