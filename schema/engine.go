package schema

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"
)

var engineSpec = &blockSpec{
	name: "engine", count: "at most one",
	doc: "What is particular about the node's engine.",
	attrs: []attrSpec{
		{name: "service", typ: "systemd unit", def: "found on the host", doc: "The engine's systemd service. `.service` is added where no suffix is given.",
			misuse: []string{"a unit that is no service", "characters that no unit's name has"}},
		{name: "data_root", typ: "absolute path", def: "found on the host", doc: "The engine's data root, in which the directory `swarm` is.",
			misuse: []string{"a relative path, `/`, or one with `..`, control characters or a slash at its end"}},
		{name: "down_max", typ: "duration", def: "120s", doc: "The time after which the host starts its engine again by itself when it was stopped for a backup.",
			misuse: []string{"less than 30 seconds, or more than a day"}},
	},
}

var unitPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9:_.@\\-]{0,250}$`)

// readEngine reads the engine block c, nil where the node has none.
func (l *loader) readEngine(c *content, sc scope) Engine {
	out := Engine{DownMax: DefaultDownMax}
	if c == nil {
		return out
	}
	if f := l.str(c, "service", sc); f.ok {
		out.Service = l.unit(f)
	}
	if f := l.str(c, "data_root", sc); f.ok {
		out.DataRoot = f.val
		if !path.IsAbs(f.val) || path.Clean(f.val) != f.val || f.val == "/" || printable(f.val) != f.val || strings.ContainsAny(f.val, "\n\t") {
			l.err(f.at, "Not a data root", fmt.Sprintf("%q is not an absolute path in its plainest form.", f.val), "Write a path such as /var/lib/docker, as docker info tells it.")
		}
	}
	if f := l.str(c, "down_max", sc); f.ok {
		d, ok := l.duration(f, "down_max")
		if ok && (d < MinDownMax || d > 24*time.Hour) {
			l.err(f.at, "Duration out of bounds", fmt.Sprintf("down_max is from 30 seconds to a day, and this is %s: a stop alone may take that long, and a timer that fires in its middle spoils the copy.", f.val), `Write a duration such as "120s".`)
		}
		out.DownMax = d
	}
	return out
}

func (l *loader) unit(f field[string]) string {
	const remedy = "Write the name of the engine's unit, such as docker.service."
	if !unitPattern.MatchString(f.val) {
		l.err(f.at, "Not a systemd service", fmt.Sprintf("%q can't be a unit's name.", f.val), remedy)
		return ""
	}
	if strings.HasSuffix(f.val, ".service") {
		return f.val
	}
	for _, s := range []string{".socket", ".target", ".timer", ".mount", ".path", ".slice", ".scope", ".device", ".swap", ".automount"} {
		if strings.HasSuffix(f.val, s) {
			l.err(f.at, "Not a systemd service", fmt.Sprintf("%q is a unit of another kind.", f.val), remedy)
			return ""
		}
	}
	return f.val + ".service"
}

// duration reads a duration that was evaluated well.
func (l *loader) duration(f field[string], name string) (time.Duration, bool) {
	d, err := ParseDuration(f.val)
	if err != nil {
		l.err(f.at, "Not a duration", fmt.Sprintf("%s = %q is not a duration: %s.", name, f.val, err), "Write "+durationForm+".")
		return 0, false
	}
	return d, true
}
