package retention

import (
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // every machine knows the zones, and so judges alike
)

// Rules say how many backups stay. Each rule keeps by itself: what one of them keeps
// stays, whatever the others say.
type Rules struct {
	Last    int           // the newest so many
	Hourly  int           // the newest of each of the newest so many hours that have one
	Daily   int           // likewise of days
	Weekly  int           // likewise of weeks, from Monday on
	Monthly int           // likewise of months
	Yearly  int           // likewise of years
	Within  time.Duration // all that are younger than the newest by less than this
	// Zone is the name of the time zone in which days, weeks, months and years
	// begin; "" is UTC.
	Zone string
}

// Check refuses rules that mean nothing, or that would keep nothing.
func (r Rules) Check() error {
	_, err := r.location()
	if err != nil {
		return err
	}
	some := r.Within > 0
	for _, p := range r.counts() {
		if p.n < 0 {
			return fmt.Errorf("%s is %d: a number of backups is not below zero", p.name, p.n)
		}
		some = some || p.n > 0
	}
	switch {
	case r.Within < 0:
		return fmt.Errorf("within is %s: a time is not below zero", r.Within)
	case !some:
		return errors.New("no rule keeps anything, and a repository without a backup is what no rule may lead to")
	}
	return nil
}

// location is the zone; the machine's own would make each machine judge otherwise.
func (r Rules) location() (*time.Location, error) {
	if r.Zone == "Local" {
		return nil, errors.New(`"Local" is another zone on every machine`)
	}
	return time.LoadLocation(r.Zone)
}

// counted is a rule that has a number.
type counted struct {
	name string
	n    int
}

func (r Rules) counts() []counted {
	return []counted{{"last", r.Last}, {"hourly", r.Hourly}, {"daily", r.Daily}, {"weekly", r.Weekly}, {"monthly", r.Monthly}, {"yearly", r.Yearly}}
}

// period is a rule that keeps the newest of each of some spans of the calendar.
type period struct {
	name string // of the rule
	n    int
	of   func(time.Time) (key, text string)
}

// periods are the rules of the calendar. An hour that the clocks go through twice is
// two: its key has the distance to UTC.
func (r Rules) periods() []period {
	same := func(unit, layout string) func(time.Time) (string, string) {
		return func(t time.Time) (string, string) { s := t.Format(layout); return s, unit + " " + s }
	}
	return []period{
		{"hourly", r.Hourly, func(t time.Time) (string, string) {
			return t.Format("2006-01-02 15 -07:00"), "hour " + t.Format("2006-01-02 15:00 MST")
		}},
		{"daily", r.Daily, same("day", "2006-01-02")},
		{"weekly", r.Weekly, func(t time.Time) (string, string) {
			year, week := t.ISOWeek()
			s := fmt.Sprintf("%04d-W%02d", year, week)
			return s, "week " + s
		}},
		{"monthly", r.Monthly, same("month", "2006-01")},
		{"yearly", r.Yearly, same("year", "2006")},
	}
}
