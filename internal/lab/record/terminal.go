package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// cell is a character with its look.
type cell struct {
	r     rune
	style style
}

// style is what SGR sequences set.
type style struct {
	color     int // 30 to 37 or 90 to 97; 0 is the default
	bold, dim bool
}

// version is what a line held for some time. The last one of a line stays.
type version struct {
	line     int
	cells    []cell
	from, to time.Duration // to is 0 while it stays
}

// terminal keeps all lines that were ever printed: what scrolls out of sight is
// scrolled by the picture.
type terminal struct {
	columns  int
	lines    [][]cell
	row, col int
	style    style
	now      time.Duration
	versions []version
	open     map[int]int // line: index of its version that stays
	dirty    map[int]bool
}

func newTerminal(columns int) *terminal {
	return &terminal{columns: columns, lines: [][]cell{nil}, open: map[int]int{}, dirty: map[int]bool{}}
}

// write prints bytes at a time. Bytes that end in the middle of a character or
// sequence are given back, for the next write.
func (t *terminal) write(at time.Duration, data []byte) (rest []byte, err error) {
	t.now = at
	for len(data) > 0 {
		n, err := t.step(data)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		data = data[n:]
	}
	t.settle()
	return data, nil
}

// step takes one character or sequence and tells its length; 0 says that it is
// not whole yet.
func (t *terminal) step(data []byte) (int, error) {
	switch data[0] {
	case '\n':
		t.row++
		if t.row == len(t.lines) {
			t.lines = append(t.lines, nil)
		}
		return 1, nil
	case '\r':
		t.col = 0
		return 1, nil
	case 0x1b:
		return t.escape(data)
	case '\t':
		t.put(' ')
		for t.col%8 != 0 {
			t.put(' ')
		}
		return 1, nil
	}
	if !utf8.FullRune(data) {
		return 0, nil
	}
	r, n := utf8.DecodeRune(data)
	if r < ' ' || r == utf8.RuneError {
		return 0, fmt.Errorf("the session printed %q, which this terminal does not know", data[:n])
	}
	t.put(r)
	return n, nil
}

func (t *terminal) put(r rune) {
	if t.col == t.columns {
		t.col, t.row = 0, t.row+1
		if t.row == len(t.lines) {
			t.lines = append(t.lines, nil)
		}
	}
	line := t.lines[t.row]
	for len(line) <= t.col {
		line = append(line, cell{r: ' '})
	}
	line[t.col] = cell{r, t.style}
	t.lines[t.row] = line
	t.col++
	t.dirty[t.row] = true
}

// escape takes a control sequence: m for the look, K for erasing.
func (t *terminal) escape(data []byte) (int, error) {
	if len(data) < 2 {
		return 0, nil
	}
	if data[1] != '[' {
		return 0, fmt.Errorf("the session printed the escape %q, which this terminal does not know", data[:2])
	}
	for i := 2; i < len(data); i++ {
		if data[i] >= '0' && data[i] <= '9' || data[i] == ';' {
			continue
		}
		arguments := string(data[2:i])
		switch {
		case data[i] == 'm':
			return i + 1, t.look(arguments)
		case data[i] == 'K' && (arguments == "" || arguments == "0"):
			t.lines[t.row] = t.lines[t.row][:min(t.col, len(t.lines[t.row]))]
		case data[i] == 'K' && arguments == "2":
			t.lines[t.row] = nil
		default:
			return 0, fmt.Errorf("the session printed the sequence %q, which this terminal does not know", data[:i+1])
		}
		t.dirty[t.row] = true
		return i + 1, nil
	}
	return 0, nil
}

func (t *terminal) look(arguments string) error {
	for _, text := range strings.Split(arguments, ";") {
		n, err := strconv.Atoi("0" + text)
		switch {
		case err != nil:
			return err
		case n == 0:
			t.style = style{}
		case n == 1:
			t.style.bold = true
		case n == 2:
			t.style.dim = true
		case n == 22:
			t.style.bold, t.style.dim = false, false
		case n == 39:
			t.style.color = 0
		case n >= 30 && n <= 37 || n >= 90 && n <= 97:
			t.style.color = n
		default:
			return fmt.Errorf("the session used the look %d, which this terminal does not know", n)
		}
	}
	return nil
}

// settle records the lines that changed in this write: what a line held in
// between is never on a screen.
func (t *terminal) settle() {
	for row := range t.dirty {
		if i, ok := t.open[row]; ok {
			if same(t.versions[i].cells, t.lines[row]) {
				continue
			}
			t.versions[i].to = t.now
		}
		t.open[row] = len(t.versions)
		t.versions = append(t.versions, version{line: row, cells: append([]cell(nil), t.lines[row]...), from: t.now})
	}
	t.dirty = map[int]bool{}
}

func same(a, b []cell) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func text(cells []cell) string {
	var b strings.Builder
	for _, c := range cells {
		b.WriteRune(c.r)
	}
	return strings.TrimRight(b.String(), " ")
}
