package schema

import "fmt"

var hookAttrs = []attrSpec{
	{name: "on_success", typ: "list of strings", def: "none", doc: "A command with its arguments, which is run after the backup was made, and each of its repositories holds it, where requeen runs: on a schedule's host for its runs. It gets the event as one JSON object on standard input, and a minute; its environment is requeen's own, on a schedule's host with what the schedule's environment names. That it fails is told, and changes nothing.",
		misuse: []string{"an empty list", "a command that is empty"}},
	{name: "on_failure", typ: "list of strings", def: "none", doc: "Likewise after a backup that was to be made was not; the event says why, and holds no secret.",
		misuse: []string{"an empty list", "a command that is empty"}},
}

// hook reads a command with its arguments; nil where none is given.
func (l *loader) hook(c *content, name string) []string {
	f := l.strs(c, name, scope{})
	if f.ok && (len(f.val) == 0 || !shellLine(f.val[0])) {
		l.err(f.at, "Hook without a command", fmt.Sprintf("%s names no program to run.", name), fmt.Sprintf(`Write %s = ["/usr/local/bin/notify", "swarm"], or leave it out.`, name))
		return nil
	}
	return f.val
}
