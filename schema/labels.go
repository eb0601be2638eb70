package schema

import (
	"fmt"
	"strings"
	"unicode"
)

// readLabels reads a node's labels; nil where there are none declared.
func (l *loader) readLabels(c *content, sc scope) map[string]string {
	labels, _ := l.strMap(c, "labels", sc)
	for _, key := range keysOf(labels) {
		at := keyRange(c.attrs["labels"].Expr, key)
		if why := badLabelKey(key); why != "" {
			l.err(at, "Bad label", fmt.Sprintf("%q can't be a label's key: it %s.", key, why), "Use a key such as zone or com.example.disk.")
			continue
		}
		if strings.ContainsFunc(labels[key], func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
			l.err(at, "Bad label", fmt.Sprintf("The value of the label %q holds a control character, which a terminal would act on.", key), "Remove it.")
		}
	}
	return labels
}

// badLabelKey says why a key is refused: docker node update --label-add takes
// KEY=VALUE, and the plan shows it in a command line.
func badLabelKey(key string) string {
	switch {
	case key == "":
		return "is empty"
	case strings.ContainsFunc(key, unicode.IsSpace):
		return "holds a blank"
	case printable(key) != key:
		return "holds a control character"
	case strings.Contains(key, "="):
		return `holds "=", which ends a label's key`
	}
	return ""
}
