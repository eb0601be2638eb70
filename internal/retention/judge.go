package retention

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Item is a backup to be judged.
type Item struct {
	ID string
	At time.Time // when it was taken
	// Fault is why it counts for nothing, as a clause ("it is suspect"); "" where it
	// counts. What does not count takes no other's place (safety rule 16).
	Fault string
	// InUse is why it stays whatever the rules say, as a clause; "" where nothing
	// but the rules keeps it.
	InUse string
}

// Verdict says of one backup whether it stays, and why.
type Verdict struct {
	ID     string
	At     time.Time
	Keep   bool
	Counts bool   // it is verified and in doubt by nothing
	Reason string // begins with "kept: " or "removed: "
}

// Judge gives a verdict on each backup, newest first. Those that count are judged
// together. One that does not is judged alone against them, as if it counted: so it
// goes only when it would go were it good, and never because of another in doubt.
// Where none counts, all stay. The newest that counts always stays.
func Judge(rules Rules, items []Item) ([]Verdict, error) {
	if err := rules.Check(); err != nil {
		return nil, err
	}
	zone, err := rules.location()
	if err != nil {
		return nil, err
	}
	list := slices.Clone(items)
	slices.SortStableFunc(list, func(a, b Item) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID)) })
	j := judge{rules: rules, zone: zone, periods: rules.periods()}
	for _, it := range list {
		if it.Fault == "" {
			j.good = append(j.good, it)
		}
	}
	together := j.all(j.good)
	verdicts, good := make([]Verdict, 0, len(list)), 0
	for _, it := range list {
		var f finding
		switch {
		case it.Fault == "":
			f = together[good]
			if good == 0 {
				f.keeps = append([]string{"the newest that is verified"}, f.keeps...)
			}
			good++
		case len(j.good) > 0:
			f = j.alone(it)
		default:
			f.keeps = []string{"no other counts either"}
		}
		verdicts = append(verdicts, f.verdict(it))
	}
	return verdicts, nil
}

// judge is one run of Judge.
type judge struct {
	rules   Rules
	zone    *time.Location
	periods []period
	good    []Item // newest first
}

// finding is what the rules say of a backup: those that keep it, and why the others
// do not.
type finding struct{ keeps, fails []string }

func (f finding) verdict(it Item) Verdict {
	v := Verdict{ID: it.ID, At: it.At, Counts: it.Fault == ""}
	if it.InUse != "" {
		f.keeps = append(f.keeps, it.InUse)
	}
	v.Keep = len(f.keeps) > 0
	kept, failed := strings.Join(f.keeps, ", "), strings.Join(f.fails, "; ")
	switch {
	case v.Keep && v.Counts:
		v.Reason = "kept: " + kept
	case v.Keep:
		v.Reason = "kept: " + it.Fault + ", and takes no other's place; judged alone: " + kept
	case v.Counts:
		v.Reason = "removed: " + failed
	default:
		v.Reason = "removed: " + it.Fault + ", and would go if it were good: " + failed
	}
	return v
}

// alone is what the rules would say of one that does not count if it did.
func (j *judge) alone(it Item) finding {
	at, _ := slices.BinarySearchFunc(j.good, it, func(a, b Item) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID)) })
	return j.all(slices.Insert(slices.Clone(j.good), at, it))[at]
}

// all is what the rules say of backups that are sorted, newest first.
func (j *judge) all(list []Item) []finding {
	found := make([]finding, len(list))
	for i := range list {
		j.byPlace(list, i, &found[i])
	}
	for _, p := range j.periods {
		j.byPeriod(p, list, found)
	}
	return found
}

// byPlace is what the rules say that look at the place and the age alone.
func (j *judge) byPlace(list []Item, i int, f *finding) {
	if n := j.rules.Last; n > 0 {
		if i < n {
			f.keeps = append(f.keeps, fmt.Sprintf("one of the last %d", n))
		} else {
			f.fails = append(f.fails, fmt.Sprintf("last: %d are newer", i))
		}
	}
	if w := j.rules.Within; w > 0 {
		if list[0].At.Sub(list[i].At) < w {
			f.keeps = append(f.keeps, "within "+span(w)+" of the newest")
		} else {
			f.fails = append(f.fails, "within: older than the newest by "+span(w)+" or more")
		}
	}
}

// byPeriod keeps the newest of each of the newest periods that have one.
func (j *judge) byPeriod(p period, list []Item, found []finding) {
	if p.n == 0 {
		return
	}
	newest := map[string]string{} // the ID of the newest, by the period's key
	for i, it := range list {
		key, text := p.of(it.At.In(j.zone))
		id, seen := newest[key]
		switch {
		case seen:
			found[i].fails = append(found[i].fails, fmt.Sprintf("%s: the %s has the newer %s", p.name, text, id))
			continue
		case len(newest) < p.n:
			found[i].keeps = append(found[i].keeps, "newest of the "+text)
		default:
			found[i].fails = append(found[i].fails, fmt.Sprintf("%s: %d newer %s have one", p.name, len(newest), plurals[p.name]))
		}
		newest[key] = it.ID
	}
}

var plurals = map[string]string{"hourly": "hours", "daily": "days", "weekly": "weeks", "monthly": "months", "yearly": "years"}

// span is a time as people say it.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day && d%day == 0:
		return fmt.Sprintf("%d days", d/day)
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return d.String()
}
