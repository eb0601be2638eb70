package view

import (
	"fmt"
	"html"
	"html/template"
	"strings"

	"github.com/requeen/requeen/plan"
)

// The measures of a picture, in its own units: a phone shows one about as wide.
const (
	drawWide   = 320
	drawEdge   = 6 // within a band
	drawGap    = 6
	drawBox    = 40 // a box's height
	drawMost   = 4  // boxes in a row
	drawLetter = 8  // about what a letter of a name takes
	// mostBoxes is how many workers of a zone are drawn one by one.
	mostBoxes = 8
)

// drawing is a frame laid out: bands of boxes, one below the other. Whatever text
// goes into it is escaped where it is written.
type drawing struct {
	frame frame
	bands []band
	names map[string]string // as they are written
	// columns are how many boxes fit beside each other.
	columns int
}

// band is a zone, or what is outside of the swarm.
type band struct {
	title string
	boxes []plan.PictureNode
	words string // of those that are only counted
}

// draw lays a frame out.
func draw(f frame) drawing {
	d := drawing{frame: f, names: hostnames(f)}
	zones := f.zones()
	for _, zone := range zones {
		b := band{}
		switch {
		case zone != "":
			b.title = "zone " + zone
		case len(zones) > 1:
			b.title = "no zone"
		}
		b.boxes = f.part(plan.PartManager, zone)
		rest, workers := countIn(f.workers, zone), f.part(plan.PartWorker, zone)
		for _, n := range workers {
			if len(workers) <= mostBoxes || f.changed[n.Name] && len(b.boxes) < drawMost*3 {
				b.boxes = append(b.boxes, n)
			} else {
				rest = append(rest, plan.PictureWorkers{Look: n.Look, Count: 1})
			}
		}
		b.words = tally(rest)
		d.bands = append(d.bands, b)
	}
	if out := f.part(plan.PartOutside, ""); len(out) > 0 {
		b := band{title: "outside of the swarm", boxes: out}
		if len(out) > drawMost*3 {
			b.boxes, b.words = out[:drawMost*3], count(len(out)-drawMost*3, "more", "more")
		}
		d.bands = append(d.bands, b)
	}
	longest := 0
	for _, b := range d.bands {
		for _, n := range b.boxes {
			longest = max(longest, len([]rune(d.names[n.Name])))
		}
	}
	d.columns = max(2, min(drawMost, (drawWide-2*drawEdge+drawGap)/(longest*drawLetter+2*drawEdge+drawGap)))
	return d
}

// hostnames are the names of a frame's nodes without their domains, where that still
// tells them apart.
func hostnames(f frame) map[string]string {
	short := func(name string) string {
		host, _, _ := strings.Cut(name, ".")
		if host == "" {
			return name
		}
		return host
	}
	times, names := map[string]int{}, map[string]string{}
	for _, n := range f.nodes {
		times[short(n.Name)]++
	}
	for _, n := range f.nodes {
		names[n.Name] = n.Name
		if times[short(n.Name)] == 1 {
			names[n.Name] = short(n.Name)
		}
	}
	return names
}

func countIn(groups []plan.PictureWorkers, zone string) []plan.PictureWorkers {
	var list []plan.PictureWorkers
	for _, g := range groups {
		if g.Zone == zone {
			list = append(list, g)
		}
	}
	return list
}

// same tells whether two drawings look alike.
func (d drawing) same(o drawing) bool {
	return string(d.svg(marks{})) == string(o.svg(marks{}))
}

// marks are what is marked in a drawing, by the nodes' names: what a step is about
// and what it has changed.
type marks struct{ acted, changed map[string]bool }

// svg is the drawing as an inline picture.
func (d drawing) svg(m marks) template.HTML {
	f, w := d.frame, &svgWriter{drawing: d, marks: m}
	for _, b := range d.bands {
		w.band(b)
	}
	w.slots(f.margin)
	var s strings.Builder
	fmt.Fprintf(&s, `<svg viewBox="0 0 %d %d" role="img"><title>%s</title><desc>%s</desc>%s</svg>`,
		drawWide, w.y, text(Margin(f.margin)), text(f.tell()), w.b.String())
	return template.HTML(s.String())
}

// text is a text from outside within the picture.
func text(s string) string { return html.EscapeString(plain(s)) }

// svgWriter writes from the top down.
type svgWriter struct {
	drawing
	b     strings.Builder
	y     int
	marks marks
}

// band writes a band with its boxes.
func (w *svgWriter) band(b band) {
	var inner strings.Builder
	y := w.y + drawEdge
	if b.title != "" {
		y += 12
		fmt.Fprintf(&inner, `<text class="soft" x="%d" y="%d">%s</text>`, drawEdge+2, y-1, text(clip(b.title, 40)))
		y += 8
	}
	columns := max(2, min(w.columns, len(b.boxes)))
	width := (drawWide - 2*drawEdge - (columns-1)*drawGap) / columns
	for i, n := range b.boxes {
		x := drawEdge + i%columns*(width+drawGap)
		if i > 0 && i%columns == 0 {
			y += drawBox + drawGap
		}
		w.box(&inner, n, x, y, width)
	}
	if len(b.boxes) > 0 {
		y += drawBox + drawEdge
	}
	if b.words != "" {
		y += 12
		fmt.Fprintf(&inner, `<text x="%d" y="%d">%s</text>`, drawEdge+2, y-2, text(clip(b.words, 48)))
		y += drawEdge - 2
	}
	fmt.Fprintf(&w.b, `<rect class="band" x="0.5" y="%d.5" width="%d" height="%d" rx="5" />%s`, w.y, drawWide-1, y-w.y-1, inner.String())
	w.y = y + drawGap
}

// box writes a node: a manager has corners, a worker is round.
func (w *svgWriter) box(b *strings.Builder, n plan.PictureNode, x, y, width int) {
	class, round := "off", 4
	switch {
	case n.Look == plan.LookHeld || n.Look == plan.LookFenced:
		class = "kept"
	case n.Part == plan.PartOutside:
		class = "away"
	case n.Look == plan.LookUp:
		class = "up"
	}
	if n.Part == plan.PartWorker {
		round = drawBox / 2
	}
	if w.marks.changed[n.Name] {
		class += " changed"
	}
	word := string(n.Look)
	if n.Leader {
		word += ", leads"
	}
	middle := x + width/2
	fmt.Fprintf(b, `<g class="%s"><title>%s</title><rect class="box" x="%d" y="%d" width="%d" height="%d" rx="%d" />`, class,
		text(string(n.Part)+" "+n.Name+": "+word), x+1, y+1, width-2, drawBox-2, round)
	fmt.Fprintf(b, `<text class="name" x="%d" y="%d" text-anchor="middle">%s</text><text x="%d" y="%d" text-anchor="middle">%s</text>`,
		middle, y+17, text(clip(w.names[n.Name], (width-drawEdge)/drawLetter)), middle, y+32, text(clip(word, width/(drawLetter-2))))
	if n.Leader {
		fmt.Fprintf(b, `<path class="crown" d="M%d %d l0 -8 l4 4 l4 -6 l4 6 l4 -4 l0 8 z" />`, x+8, y+5)
	}
	if w.marks.acted[n.Name] {
		fmt.Fprintf(b, `<path class="acted" d="M%d %d h12 l-6 7 z" />`, middle-6, y-4)
	}
	b.WriteString("</g>")
}

// slots writes a slot for each manager that counts, those that are up filled, with
// the line that has to be reached.
func (w *svgWriter) slots(m plan.Margin) {
	if m.Managers == 0 {
		return
	}
	width := min(64, (drawWide-2)/m.Managers)
	for i := range m.Managers {
		class := "slot"
		if i < m.Up {
			class += " full"
			if m.Spare < 0 {
				class += " short"
			}
		}
		fmt.Fprintf(&w.b, `<rect class="%s" x="%d" y="%d" width="%d" height="10" rx="2" />`, class, 1+i*width, w.y+4, width-3)
	}
	line := m.Quorum*width - 1
	fmt.Fprintf(&w.b, `<path class="quorum" d="M%d %d v18" />`, line, w.y)
	words := fmt.Sprintf("quorum %d: %s", m.Quorum, marginShort(m))
	fmt.Fprintf(&w.b, `<text x="1" y="%d">%s</text>`, w.y+32, text(words))
	w.y += 38
}
