package schema

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/requeen/requeen/internal/diag"
)

// MinEvery is the least that Schedule.Every may be.
const MinEvery = time.Minute

// Schedule is the schedule block of a backup: a timer on a host makes it. Exactly one
// of At and Every is set.
type Schedule struct {
	At          string        // HH:MM
	Every       time.Duration // counted from one run to the next
	TimeZone    string        // of At, of the IANA database; "" = the host's
	On          string        // the name of a declared node
	Environment []string      // names of environment variables that its runs need beside those of env(), sorted
	Textfile    string        // absolute; where a run leaves its metrics, "" = nowhere
	Range       diag.Range
}

// Words say when a schedule's runs are, as a sentence has it.
func (s *Schedule) Words() string {
	if s.Every > 0 {
		return "every " + FormatDuration(s.Every)
	}
	zone := s.TimeZone
	if zone == "" {
		zone = "the host's time"
	}
	return fmt.Sprintf("every day at %s (%s)", s.At, zone)
}

var scheduleSpec = &blockSpec{
	name: "schedule", count: "at most one",
	doc: "A timer of systemd on one of the hosts makes the backup, whether anybody runs requeen or not.",
	effect: "The plan has a `schedule` step that puts there, below `/var/lib/requeen/schedules` and for root alone, the program, the configuration's files, the values of the environment variables that `env()` names, and the sign_key of each of the backup's repositories, with a service and a timer; " +
		"it has one again when any of these is not as it would be put now, and an `unschedule` step where a schedule is declared no more, or on another node. No identity and no unlock key is put there, nor what they alone are read from: a backup needs neither, since a live manager tells the key. " +
		"A run is `requeen backup run`: it makes this backup and removes what keep does not keep; it changes no shape, recovers nothing and destroys nothing. Its output is in the journal of `requeen-schedule-CLUSTER:BACKUP.service`. " +
		"The service is confined: what belongs to the system, /home and /root are read only to it and to the hooks, and /tmp is its own, except where a repository, the textfile or a directory that it reads lies there; where a command before or after the backup's data runs on this very host, it is not. " +
		"A run that meets another waits for the lock, and makes no backup where a fresh one is there by then: one younger than half of every, or than an hour with at. " +
		"The node itself is reached without ssh; the others as they are declared, by root's ssh on that node, so that its key and known_hosts are what lets a run look at them: those that it can't reach are not stopped for a backup.",
	misuse: []string{"both of at and every, or neither"},
	attrs: []attrSpec{
		{name: "at", typ: `"HH:MM"`, doc: "The time of day. A run that was missed, since the host was down, is made up for when it is up again.",
			misuse: []string{"no time of day"}},
		{name: "every", typ: "duration", doc: "From one run to the next: " + durationForm + ". The first is a few seconds after the timer starts.",
			misuse: []string{"no duration, or less than a minute"}},
		{name: "time_zone", typ: "a zone of the IANA database", def: "the host's", doc: "Of at, such as \"Europe/Amsterdam\".",
			misuse: []string{"a zone that is not known", "\"Local\"", "with every"}},
		{name: "on", typ: "a node's name", required: true, doc: "The host of the timer, a manager or a worker. One that the backup can be taken of, as `swarm { from }` names it, needs no ssh to others.",
			misuse: []string{"a node that is not declared, or has no connection"}},
		{name: "environment", typ: "list of strings", def: "none", doc: "Names of environment variables, beside those that `env()` names, whose values are put there where `apply` runs: for instance AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Without them a repository's credentials are looked for in the usual places on that host.",
			misuse: []string{"what can't be such a name", "a name that stands twice"}},
		{name: "textfile", typ: "path", def: "none", doc: "A file, in the directory of node_exporter's textfile collector on that host, into which each run writes what `requeen status -textfile FILE` writes.",
			misuse: []string{"a path that is not absolute, or does not end in .prom"}},
	},
}

// schedulePlaces are what the checks over all blocks point at.
type schedulePlaces struct{ on hcl.Range }

var (
	timeOfDay       = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
	environmentName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// readSchedule reads when a backup is made; nil where that was not said as it is to be.
func (l *loader) readSchedule(c *content, at *schedulePlaces) *Schedule {
	before := len(l.diags)
	s := &Schedule{Range: toRange(c.def)}
	every := l.str(c, "every", scope{})
	s.Every = l.atLeast(c, "every", MinEvery, "a backup stops a manager")
	day := l.str(c, "at", scope{})
	if s.At = day.val; day.ok && !timeOfDay.MatchString(day.val) {
		l.err(day.at, "Not a time of day", fmt.Sprintf("%q is no hour and minute.", day.val), `Write "03:10", from "00:00" to "23:59".`)
	}
	if day.present == every.present {
		l.err(c.def, "Schedule without one time", "A schedule says either at what time of day its backup is made, or how often.", `Write at = "03:10", or every = "6h".`)
	}
	if f := l.str(c, "time_zone", scope{}); f.ok {
		s.TimeZone = f.val
		l.checkZone(f.val, f.at)
		if every.present {
			l.err(f.at, "time_zone without at", "From one run to the next the time is the same in every zone.", "Leave time_zone out.")
		}
	}
	if f := l.str(c, "on", scope{}); f.ok {
		s.On, at.on = f.val, f.at
	}
	names := l.strs(c, "environment", scope{})
	l.onceEach(c, "environment", names)
	for i, name := range names.val {
		if !environmentName.MatchString(name) {
			l.err(itemRange(c.attrs["environment"].Expr, i, len(names.val)), "Not an environment variable's name", fmt.Sprintf("%q is none; the value is not written here.", name), "Write the name alone.")
		}
	}
	s.Environment = slices.Sorted(slices.Values(names.val))
	if f := l.str(c, "textfile", scope{}); f.ok {
		s.Textfile = f.val
		if !path.IsAbs(f.val) || !strings.HasSuffix(f.val, ".prom") || path.Clean(f.val) != f.val || strings.ContainsAny(f.val, "\x00\r\n") {
			l.err(f.at, "Not a path for metrics", fmt.Sprintf("%q is not the absolute path of a .prom file.", f.val), `Write for instance "/var/lib/prometheus/node-exporter/requeen.prom".`)
		}
	}
	if len(l.diags) > before {
		return nil
	}
	return s
}

// checkSchedule tells of schedules on nodes that can't have one, and of those that are
// too rare for max_age.
func (l *loader) checkSchedule(b Backup, at schedulePlaces) {
	s := b.Schedule
	if s == nil || at.on == (hcl.Range{}) {
		return
	}
	n := l.cfg.Node(s.On)
	switch {
	case n == nil && !l.broken && !l.nodesUnknown:
		var names []string
		for _, d := range l.nodes {
			names = append(names, d.Name)
		}
		l.err(at.on, "Unknown node", fmt.Sprintf("No node %q is declared.", s.On), suggest(s.On, names))
		return
	case n != nil && n.Connection.None:
		l.err(at.on, "Schedule on a host that can't be reached", fmt.Sprintf("%q has connection { none = true }, so nothing can be put there.", s.On), "Give it a connection, or name another node.")
		return
	}
	period := s.Every
	if period == 0 {
		period = 24 * time.Hour
	}
	if b.MaxAge > 0 && period > b.MaxAge {
		l.warn(at.on, "Schedule that is rarer than max_age", fmt.Sprintf("The backup is made %s, and is due after %s: between its runs it is overdue.", s.Words(), FormatDuration(b.MaxAge)),
			fmt.Sprintf("Write max_age = %q or more, or let the schedule run more often.", FormatDuration(period+2*time.Hour)))
	}
}

func (w *sourceWriter) schedule(s *Schedule) {
	if s == nil {
		return
	}
	in := &sourceWriter{}
	in.text("at", s.At)
	in.duration("every", s.Every)
	in.text("time_zone", s.TimeZone)
	in.text("on", s.On)
	in.texts("environment", s.Environment)
	in.text("textfile", s.Textfile)
	w.nested("schedule", in)
}
