package schema

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
)

func commandSpec(name, doc string) *blockSpec {
	return &blockSpec{
		name: name, count: "at most one", doc: doc,
		misuse: []string{"a command of no word"},
		attrs: []attrSpec{
			{name: "service", typ: "a service's name", def: "on the host, as root", doc: "The command runs in a container that this service has on the node, as the user of that container.",
				misuse: []string{"a text that can't be a service's name"}},
			{name: "command", typ: "list of strings", required: true, doc: "The program and its arguments. No shell is between; where one is wanted it is the program: `[\"sh\", \"-c\", \"…\"]`. Its text stands in plans: a secret belongs into a file that it reads. A status other than 0 is an error, and what it wrote is shown then.",
				misuse: []string{"an empty list, an empty program, a null byte"}},
		},
	}
}

var (
	beforeSpec = commandSpec("before", "A command that runs before the data is read, and before services are scaled to 0.")
	afterSpec  = commandSpec("after", "A command that runs once the data was read and the services are back, also when reading failed, or the command before did.")
)

func dataAttrs(own ...attrSpec) []attrSpec {
	return append(append([]attrSpec{
		{name: "node", typ: "a node's name", required: true, doc: "The node on whose host the data is.",
			misuse: []string{"a node that is not declared or has no connection"}}}, own...),
		attrSpec{name: "quiesce", typ: "list of services' names", def: "none", doc: "The services that use it. They are scaled to 0 while it is read, and back to the scale that they had: a global service by a placement constraint that no node fulfils. What scale a service is to have is recorded in a label of its own (`io.requeen.scale`) by the very update that scales it to 0, so that a run which is cut leaves the record in the swarm, and the next plan scales it back.",
			misuse: []string{"an empty list", "a service that stands twice"}},
		attrSpec{name: "timeout", typ: "duration", def: `"1h"`, doc: "How long each part may take: a command, the stop of the services, the reading. Services that are scaled to 0 are scaled back when reading takes longer.",
			misuse: []string{"less than a second, or more than a week"}},
		attrSpec{name: "on_error", typ: `"fail" or "continue"`, def: `"fail"`, doc: "Whether a backup is made at all where this data can't be read, or is made without it and says so.",
			misuse: []string{"anything else"}},
	)
}

var volumeSpec = &blockSpec{
	name: "volume", label: "the volume's name in this configuration", count: "any number", many: true,
	doc:    "A volume of the local driver that the backup takes beside the swarm. Without quiesce and without before it is read while it may be written to, which the plan notes.",
	misuse: []string{"two volumes with one label in a backup, or one volume of a node twice", "a label that ends in .new, or has .part. in it"},
	attrs: dataAttrs(attrSpec{name: "volume", typ: "a volume's name", def: "the label", doc: "What the engine calls it (`docker volume ls`), such as stack_pgdata.",
		misuse: []string{"a text that can't be a volume's name"}}),
	blocks: []*blockSpec{beforeSpec, afterSpec},
}

var directorySpec = &blockSpec{
	name: "directory", label: "the directory's name in this configuration", count: "any number", many: true,
	doc:    "A directory of a host that the backup takes beside the swarm, without other file systems that are mounted below it, which the run names. A directory that is itself where a disk is mounted can be read, and not be put back in place: name one below it.",
	misuse: []string{"two directories with one label in a backup, or one path of a node twice", "a label that ends in .new, or has .part. in it"},
	attrs: dataAttrs(attrSpec{name: "path", typ: "absolute path", required: true, doc: "The directory.",
		misuse: []string{"a path that is not absolute or not in its plainest form, `/`, a directory of the kernel's", "a path that is the engine's swarm directory, lies in it or holds it"}}),
	blocks: []*blockSpec{beforeSpec, afterSpec},
}

// dataPlaces are what the checks over all blocks point at.
type dataPlaces struct{ label, node, path hcl.Range }

// readData reads the volumes and directories of a backup.
func (l *loader) readData(c *content) ([]Data, []dataPlaces) {
	var list []Data
	var places []dataPlaces
	for _, spec := range []*blockSpec{volumeSpec, directorySpec} {
		first := map[string]hcl.Range{}
		for _, b := range c.blocks[spec.name] {
			in := l.read(spec, b)
			if in.name == "" || !l.goodName(in.name, in.label) || !l.goodDataName(in.name, in.label) || !l.once(first, in) {
				continue
			}
			d, at := l.readSource(in)
			list, places = append(list, d), append(places, at)
		}
	}
	return list, places
}

func (l *loader) readSource(c *content) (Data, dataPlaces) {
	d := Data{Kind: c.spec.name, Name: c.name, Timeout: DefaultDataTimeout, OnError: OnErrorFail, Range: toRange(c.def)}
	at := dataPlaces{label: c.label}
	if f := l.str(c, "node", scope{}); f.ok {
		d.Node, at.node = f.val, f.at
	}
	if d.Kind == DataVolume {
		d.Volume = c.name
		if f := l.str(c, "volume", scope{}); f.ok {
			d.Volume = f.val
			l.checkWord(f.val, f.at, "volume", "Write what docker volume ls calls it.")
		}
	} else if f := l.str(c, "path", scope{}); f.ok {
		if l.checkDataPath(f) {
			d.Path, at.path = f.val, f.at
		}
	}
	d.Quiesce = l.readQuiesce(c)
	d.Before, d.After = l.readCommand(c, beforeSpec), l.readCommand(c, afterSpec)
	if f := l.str(c, "timeout", scope{}); f.ok {
		t, ok := l.duration(f, "timeout")
		if ok && (t < time.Second || t > 7*24*time.Hour) {
			l.err(f.at, "Duration out of bounds", fmt.Sprintf("timeout is from a second to a week, and this is %s.", f.val), `Write a duration such as "1h".`)
		}
		d.Timeout = t
	}
	if s := l.choice(c, "on_error", "way to go on", []string{OnErrorFail, OnErrorContinue}, scope{}); s != "" {
		d.OnError = s
	}
	return d, at
}

func (l *loader) readQuiesce(c *content) []string {
	f := l.strs(c, "quiesce", scope{})
	if !f.ok {
		return nil
	}
	if len(f.val) == 0 {
		l.err(f.at, "Nothing to quiesce", "quiesce names no service.", "Name the services that use the data, or leave quiesce out.")
	}
	l.onceEach(c, "quiesce", f)
	for i, s := range f.val {
		l.checkWord(s, itemRange(c.attrs["quiesce"].Expr, i, len(f.val)), "service", "Write what docker service ls calls it, such as db_postgres.")
	}
	return f.val
}

func (l *loader) readCommand(c *content, spec *blockSpec) *Command {
	blocks := c.blocks[spec.name]
	if len(blocks) == 0 {
		return nil
	}
	in := l.read(spec, blocks[0])
	out := &Command{Range: toRange(in.def)}
	if f := l.str(in, "service", scope{}); f.ok {
		out.Service = f.val
		l.checkWord(f.val, f.at, "service", "Write what docker service ls calls it, or leave service out: the command then runs on the host.")
	}
	f := l.strs(in, "command", scope{})
	if f.ok && (len(f.val) == 0 || f.val[0] == "" || strings.ContainsRune(strings.Join(f.val, ""), 0)) {
		l.err(f.at, "Not a command", "A command is a program and its arguments, without null bytes.", `Write for instance command = ["sync"].`)
	}
	out.Args = f.val
	return out
}

// wordPattern is for names that an engine gives to volumes and services.
var wordPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$`)

func (l *loader) checkWord(s string, at hcl.Range, what, remedy string) {
	if !wordPattern.MatchString(s) {
		l.err(at, "Not a "+what+"'s name", fmt.Sprintf("%q can't be a %s's name.", s, what), remedy)
	}
}

// kernelDirs hold nothing that could be put back.
var kernelDirs = []string{"/proc", "/sys", "/dev"}

func (l *loader) checkDataPath(f field[string]) bool {
	p := f.val
	if !path.IsAbs(p) || path.Clean(p) != p || p == "/" || printable(p) != p || strings.ContainsAny(p, "\n\t") {
		l.err(f.at, "Not a directory's path", fmt.Sprintf("%q is not an absolute path in its plainest form, or it is everything.", p), "Write a path such as /etc/traefik.")
		return false
	}
	for _, k := range kernelDirs {
		if within(p, k) {
			l.err(f.at, "Directory of the kernel", fmt.Sprintf("%q holds what the kernel shows, and no files.", p), "Name a directory that holds the application's files.")
			return false
		}
	}
	return true
}

// within tells whether a clean path is a directory or lies in it.
func within(p, dir string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}
