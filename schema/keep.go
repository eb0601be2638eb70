package schema

import (
	"fmt"
	"math"
	"time"
	_ "time/tzdata" // the zones are known on every machine

	"github.com/hashicorp/hcl/v2"
)

// DefaultTimeZone is where days, weeks, months and years begin without time_zone.
const DefaultTimeZone = "UTC"

func keepCount(name, doc string) attrSpec {
	return attrSpec{name: name, typ: "whole number", def: "0", doc: doc, misuse: []string{"less than 0"}}
}

var keepSpec = &blockSpec{
	name: "keep", count: "at most one",
	doc: "How many of the block's backups stay. Each rule keeps by itself: a backup goes only when none of them keeps it.",
	effect: "The plan has a `prune` step after the backup, with the list of what goes and a reason for each, and of what stays. " +
		"The newest verified backup always stays, and so does what a plan that may still be begun would restore: what was the newest within the last hour. " +
		"What is suspect, damaged, not verified, dated in the future, or of another epoch takes no other's place, and goes only where it would go if it were good. " +
		"Safety copies of recoveries and backups of another swarm stay. Nothing is removed while a backup is due that the plan does not make, while the swarm is in trouble, or without the repository's lock. " +
		"Without the block nothing is ever removed.",
	misuse: []string{"nothing that keeps a backup"},
	attrs: []attrSpec{
		keepCount("last", "The newest so many backups."),
		keepCount("hourly", "The newest backup of each of the newest so many hours that have one. The hour that is gone through twice when the clocks go back is two."),
		keepCount("daily", "Likewise of days."),
		keepCount("weekly", "Likewise of weeks, which begin on Monday."),
		keepCount("monthly", "Likewise of months."),
		keepCount("yearly", "Likewise of years."),
		{name: "within", typ: "duration", def: "none", doc: "All backups that are younger than the newest by less than this: " + durationForm + ". It is counted from the newest one and not from now, so that nothing goes while no backups are made.",
			misuse: []string{"no duration, or less than an hour"}},
		{name: "time_zone", typ: "a zone of the IANA database", def: `"` + DefaultTimeZone + `"`, doc: "Where days, weeks, months and years begin, such as \"Europe/Amsterdam\".",
			misuse: []string{"a zone that is not known", "\"Local\", which is another one on every machine"}},
	},
}

// readKeep reads how many backups stay; nil where that was not said as it is to be.
func (l *loader) readKeep(c *content) *Keep {
	before := len(l.diags)
	k := &Keep{TimeZone: DefaultTimeZone, Range: toRange(c.def)}
	given := false
	for _, rule := range []struct {
		name string
		to   *int
	}{{"last", &k.Last}, {"hourly", &k.Hourly}, {"daily", &k.Daily}, {"weekly", &k.Weekly}, {"monthly", &k.Monthly}, {"yearly", &k.Yearly}} {
		f := l.whole(c, rule.name, 0, math.MaxInt32)
		*rule.to = int(f.val)
		given = given || f.val > 0
	}
	k.Within = l.atLeast(c, "within", time.Hour, "backups are not made faster than that")
	if f := l.str(c, "time_zone", scope{}); f.ok {
		k.TimeZone = f.val
		l.checkZone(f.val, f.at)
	}
	if len(l.diags) > before {
		return nil
	}
	if !given && k.Within == 0 {
		l.err(c.def, "Nothing would be kept", "This keep block keeps no backup at all: no rule in it is above 0.", "Write for instance last = 7 and daily = 30 into it, or leave the block out, and nothing is removed.")
		return nil
	}
	return k
}

func (l *loader) checkZone(name string, at hcl.Range) {
	_, err := time.LoadLocation(name)
	if err == nil && name != "" && name != "Local" {
		return
	}
	detail := fmt.Sprintf("%q is no zone of the IANA database.", name)
	if name == "Local" {
		detail = `"Local" is another zone on every machine, and each would keep other backups.`
	}
	l.err(at, "Unknown time zone", detail, `Write a name such as "Europe/Amsterdam", or "UTC".`)
}
