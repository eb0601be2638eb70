package retention

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func at(t *testing.T, zone, text string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	when, err := time.ParseInLocation("2006-01-02 15:04", text, loc)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

// verdicts gives one line for each backup: its ID and its reason.
func verdicts(t *testing.T, rules Rules, items ...Item) string {
	t.Helper()
	list, err := Judge(rules, items)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, v := range list {
		if want := map[bool]string{true: "kept: ", false: "removed: "}[v.Keep]; !strings.HasPrefix(v.Reason, want) {
			t.Errorf("%+v", v)
		}
		fmt.Fprintf(&b, "%s %s\n", v.ID, v.Reason)
	}
	return b.String()
}

func expect(t *testing.T, have, want string) {
	t.Helper()
	if strings.TrimSpace(have) != strings.TrimSpace(want) {
		t.Errorf("have\n%s\nwant\n%s", have, want)
	}
}

func TestReasons(t *testing.T) {
	day := func(s string) time.Time { return at(t, "UTC", s) }
	expect(t, verdicts(t, Rules{Last: 1, Daily: 2, Weekly: 2, Within: 48 * time.Hour},
		Item{ID: "a", At: day("2026-11-27 12:00")}, Item{ID: "b", At: day("2026-11-27 03:00")},
		Item{ID: "c", At: day("2026-11-26 03:00")}, Item{ID: "d", At: day("2026-11-22 03:00")},
		Item{ID: "e", At: day("2026-11-20 03:00")}), `
a kept: the newest that is verified, one of the last 1, within 2 days of the newest, newest of the day 2026-11-27, newest of the week 2026-W48
b kept: within 2 days of the newest
c kept: within 2 days of the newest, newest of the day 2026-11-26
d kept: newest of the week 2026-W47
e removed: last: 4 are newer; within: older than the newest by 2 days or more; daily: 3 newer days have one; weekly: the week 2026-W47 has the newer d`)
}

// What is in doubt takes nobody's place, and goes only where it would go were it
// good.
func TestDoubt(t *testing.T) {
	day := func(n int) time.Time { return at(t, "UTC", fmt.Sprintf("2026-03-%02d 03:00", n)) }
	expect(t, verdicts(t, Rules{Last: 2}, Item{ID: "s9", At: day(9), Fault: "it is suspect"}, Item{ID: "s8", At: day(8), Fault: "it is suspect"},
		Item{ID: "g7", At: day(7)}, Item{ID: "s6", At: day(6), Fault: "it is suspect"}, Item{ID: "g5", At: day(5)}, Item{ID: "s4", At: day(4), Fault: "it is damaged"}), `
s9 kept: it is suspect, and takes no other's place; judged alone: one of the last 2
s8 kept: it is suspect, and takes no other's place; judged alone: one of the last 2
g7 kept: the newest that is verified, one of the last 2
s6 kept: it is suspect, and takes no other's place; judged alone: one of the last 2
g5 kept: one of the last 2
s4 removed: it is damaged, and would go if it were good: last: 2 are newer`)
	expect(t, verdicts(t, Rules{Last: 1}, Item{ID: "s2", At: day(2), Fault: "it is suspect"}, Item{ID: "s1", At: day(1), Fault: "it is damaged"}), `
s2 kept: it is suspect, and takes no other's place; judged alone: no other counts either
s1 kept: it is damaged, and takes no other's place; judged alone: no other counts either`)
	expect(t, verdicts(t, Rules{Last: 1}, Item{ID: "b", At: day(2)}, Item{ID: "a", At: day(1), InUse: "a plan may restore it"}), `
b kept: the newest that is verified, one of the last 1
a kept: a plan may restore it`)
}

// A day may have 23 or 25 hours, and begins where the zone has it.
func TestClocksChange(t *testing.T) {
	const zone = "Europe/Amsterdam"
	twice := at(t, zone, "2026-10-25 01:30").Add(time.Hour) // the first of the two
	expect(t, verdicts(t, Rules{Hourly: 3, Zone: zone},
		Item{ID: "d", At: twice.Add(2 * time.Hour)}, Item{ID: "c", At: twice.Add(time.Hour)}, Item{ID: "b", At: twice}, Item{ID: "a", At: twice.Add(-time.Hour)}), `
d kept: the newest that is verified, newest of the hour 2026-10-25 03:00 CET
c kept: newest of the hour 2026-10-25 02:00 CET
b kept: newest of the hour 2026-10-25 02:00 CEST
a removed: hourly: 3 newer hours have one`)
	// 23:30 UTC is the next day in Amsterdam, and the first of 23 hours.
	short := at(t, "UTC", "2026-03-28 23:30")
	list := []Item{{ID: "c", At: short.Add(22 * time.Hour)}, {ID: "b", At: short}, {ID: "a", At: short.Add(-time.Hour)}}
	expect(t, verdicts(t, Rules{Daily: 2, Zone: zone}, list...), `
c kept: the newest that is verified, newest of the day 2026-03-29
b removed: daily: the day 2026-03-29 has the newer c
a kept: newest of the day 2026-03-28`)
	expect(t, verdicts(t, Rules{Daily: 2}, list...), `
c kept: the newest that is verified, newest of the day 2026-03-29
b kept: newest of the day 2026-03-28
a removed: daily: the day 2026-03-28 has the newer b`)
}

func TestRulesThatMeanNothing(t *testing.T) {
	for want, rules := range map[string]Rules{
		"no rule keeps anything":      {},
		"daily is -1":                 {Last: 3, Daily: -1},
		"within is -1h":               {Last: 3, Within: -time.Hour},
		"unknown time zone Mars/Base": {Last: 3, Zone: "Mars/Base"},
		"another zone on every":       {Last: 3, Zone: "Local"},
	} {
		if list, err := Judge(rules, []Item{{ID: "a"}}); err == nil || !strings.Contains(err.Error(), want) || list != nil {
			t.Errorf("%+v: %v, want %s", rules, err, want)
		}
	}
	if list, err := Judge(Rules{Last: 1}, nil); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
}
