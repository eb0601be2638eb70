package schema

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
)

// whole reads a whole number from least to most; a most of math.MaxInt32 stands
// for no bound that anybody meets.
func (l *loader) whole(c *content, name string, least, most int64) field[int64] {
	v := l.value(c, name, cty.Number, scope{})
	f := field[int64]{at: v.at, present: v.present, known: v.known}
	if !v.ok {
		return f
	}
	n, acc := v.val.AsBigFloat().Int64()
	if acc != big.Exact || n < least || n > most {
		bounds := fmt.Sprintf("from %d to %d", least, most)
		if most == math.MaxInt32 {
			bounds = fmt.Sprintf("of at least %d", least)
		}
		l.err(f.at, "Number out of bounds", fmt.Sprintf("%s is a whole number %s.", name, bounds), fmt.Sprintf("Write a whole number %s.", bounds))
		return f
	}
	f.val, f.ok = n, true
	return f
}

// atLeast reads a duration that has a lower bound; why is the rest of a
// sentence. Nil or wrong ones are 0.
func (l *loader) atLeast(c *content, name string, least time.Duration, why string) time.Duration {
	f := l.str(c, name, scope{})
	if !f.ok {
		return 0
	}
	d, ok := l.duration(f, name)
	if ok && d < least {
		l.err(f.at, "Duration out of bounds", fmt.Sprintf("%s is at least %s, and this is %s: %s.", name, FormatDuration(least), f.val, why), fmt.Sprintf("Write %q or more.", FormatDuration(least)))
		return 0
	}
	return d
}

// choice reads a text that is one of a few; what names them in a sentence.
func (l *loader) choice(c *content, name, what string, known []string, sc scope) string {
	f := l.str(c, name, sc)
	if !f.ok {
		return ""
	}
	if !slices.Contains(known, f.val) {
		l.err(f.at, "Unknown "+what, fmt.Sprintf("%q is not one for %s.", f.val, c.title()), suggest(f.val, known))
		return ""
	}
	return f.val
}

// onceEach tells of items that stand in a list more than once.
func (l *loader) onceEach(c *content, name string, f field[[]string]) {
	seen := map[string]bool{}
	for i, s := range f.val {
		if seen[s] {
			l.err(itemRange(c.attrs[name].Expr, i, len(f.val)), "Item that stands twice", fmt.Sprintf("%q is named twice in %s.", s, name), "Remove one.")
		}
		seen[s] = true
	}
}

// strMap reads a map of texts; nulls are refused. Nil means that it is not
// there.
func (l *loader) strMap(c *content, name string, sc scope) (map[string]string, field[cty.Value]) {
	v := l.value(c, name, cty.Map(cty.String), sc)
	if !v.ok {
		return nil, v
	}
	out := map[string]string{}
	for it := v.val.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if value.IsNull() {
			l.err(v.at, "Value of the wrong type", fmt.Sprintf("%s in %s: the value of %q is null.", name, c.title(), key.AsString()), "Give it a text, or remove it.")
			continue
		}
		out[key.AsString()] = value.AsString()
	}
	return out, v
}

// shellLine tells whether a text can be one command line.
func shellLine(s string) bool {
	return strings.TrimSpace(s) != "" && !strings.ContainsAny(s, "\x00\r\n")
}
