package retention

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func drawRules(t *rapid.T) Rules {
	count := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
	r := Rules{Last: count("last", 5), Hourly: count("hourly", 4), Daily: count("daily", 8), Weekly: count("weekly", 6),
		Monthly: count("monthly", 8), Yearly: count("yearly", 4), Within: time.Duration(count("within", 20)) * 24 * time.Hour,
		Zone: rapid.SampledFrom([]string{"", "Europe/Amsterdam", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Beirut"}).Draw(t, "zone")}
	if r.Check() != nil {
		r.Last = 1
	}
	return r
}

// drawYears draws the backups of three years, oldest first: some in doubt, some
// after a pause.
func drawYears(t *rapid.T) []Item {
	gaps := rapid.SliceOfN(rapid.SampledFrom([]int{1, 24, 24, 60, 96, 400}), 5, 20).Draw(t, "hours between")
	bad := rapid.IntRange(2, 30).Draw(t, "one in doubt of")
	var list []Item
	begin := time.Date(2024, 1, 1, 0, 30, 0, 0, time.UTC)
	for now, i := begin, 0; now.Before(begin.AddDate(3, 0, 0)); i++ {
		it := Item{ID: fmt.Sprintf("b%05d", i), At: now}
		if i%bad == bad-1 {
			it.Fault = "it is suspect"
		}
		list = append(list, it)
		now = now.Add(time.Duration(gaps[i%len(gaps)]+20)*time.Hour + time.Duration(i%50)*time.Minute)
		if i%9 == 0 {
			now = now.Add(-20 * time.Hour) // two within hours
		}
	}
	return list
}

func split(t *rapid.T, rules Rules, items []Item) (stay []Item, verdicts []Verdict) {
	verdicts, err := Judge(rules, items)
	if err != nil {
		t.Fatal(err)
	}
	keep := map[string]bool{}
	for _, v := range verdicts {
		keep[v.ID] = v.Keep
	}
	for _, it := range items {
		if keep[it.ID] {
			stay = append(stay, it)
		}
	}
	return stay, verdicts
}

// Over three years of backups, with a pruning after every few of them: the number that is kept
// is bounded, the last that is verified is always there, nothing more goes when it is
// judged again, and what pruning step by step has left of the good ones is what one
// look at all of them would have.
func TestThreeYears(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, all := drawRules(t), drawYears(t)
		every := rapid.IntRange(1, 12).Draw(t, "pruned after")
		var have, good []Item
		for i, it := range all {
			have = append(have, it)
			if it.Fault == "" {
				good = append(good, it)
			}
			if i%every != 0 && i != len(all)-1 {
				continue
			}
			stay, verdicts := split(t, rules, have)
			bounded(t, rules, verdicts)
			if last := len(good) - 1; last >= 0 && !slices.ContainsFunc(stay, func(s Item) bool { return s.ID == good[last].ID }) {
				t.Fatalf("after %d backups the last good one, %s, is gone", i+1, good[last].ID)
			}
			if i%20 == 0 {
				if again, _ := split(t, rules, stay); len(again) != len(stay) {
					t.Fatalf("judged again, %d of %d stay", len(again), len(stay))
				}
			}
			have = stay
		}
		once, _ := split(t, rules, good)
		have = slices.DeleteFunc(have, func(it Item) bool { return it.Fault != "" })
		if !slices.Equal(have, once) {
			t.Fatalf("step by step %d good ones stay, at once %d", len(have), len(once))
		}
	})
}

// bounded counts what the rules that count keep: within is measured from the newest that
// is not in doubt.
func bounded(t *rapid.T, rules Rules, verdicts []Verdict) {
	var newest time.Time
	for _, v := range verdicts {
		if v.Counts && v.At.After(newest) {
			newest = v.At
		}
	}
	most := 1 // the newest
	for _, c := range rules.counts() {
		most += c.n
	}
	kept := 0
	for _, v := range verdicts {
		if v.Keep && v.Counts && (rules.Within == 0 || newest.Sub(v.At) >= rules.Within) {
			kept++
		}
	}
	if kept > most {
		t.Fatalf("%d stay, and the rules have room for %d", kept, most)
	}
}

// A new backup takes of each rule at most one from what that rule kept: the one that
// was the newest of its own period, or the one that the rule has no room for any more.
// No rule lets another's go.
func TestANewBackupTakesOnePlaceOfARule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := drawYears(t)
		good := slices.DeleteFunc(all, func(it Item) bool { return it.Fault != "" })
		good = good[:min(120, len(good))]
		n := rapid.IntRange(1, len(good)-1).Draw(t, "how many")
		rules := drawRules(t)
		before, _ := split(t, rules, good[:n])
		after, _ := split(t, rules, good[:n+1])
		for _, one := range rules.each() {
			had, _ := split(t, one, good[:n])
			has, _ := split(t, one, good[:n+1])
			lost := 0
			for _, it := range had {
				if !slices.Contains(has, it) {
					lost++
				}
				if slices.Contains(has, it) && !slices.Contains(after, it) {
					t.Fatalf("%+v keeps %s, and all rules together do not", one, it.ID)
				}
			}
			if lost > 1 && one.Within == 0 {
				t.Fatalf("%+v lets %d go for one", one, lost)
			}
		}
		for _, it := range after {
			if it.ID != good[n].ID && !slices.Contains(before, it) {
				t.Fatalf("%s is kept, and was not before", it.ID)
			}
		}
	})
}

// each gives every rule by itself.
func (r Rules) each() []Rules {
	var list []Rules
	for _, one := range []Rules{{Last: r.Last}, {Hourly: r.Hourly}, {Daily: r.Daily}, {Weekly: r.Weekly}, {Monthly: r.Monthly}, {Yearly: r.Yearly}, {Within: r.Within}} {
		one.Zone = r.Zone
		if one.Check() == nil {
			list = append(list, one)
		}
	}
	return list
}

// One in doubt changes nothing for any other, wherever it stands.
func TestDoubtChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, all := drawRules(t), drawYears(t)
		all = all[:min(60, len(all))]
		good := slices.DeleteFunc(slices.Clone(all), func(it Item) bool { return it.Fault != "" })
		with, _ := split(t, rules, all)
		without, _ := split(t, rules, good)
		with = slices.DeleteFunc(with, func(it Item) bool { return it.Fault != "" })
		if !slices.Equal(with, without) {
			t.Fatalf("with those in doubt %d good ones stay, without %d", len(with), len(without))
		}
	})
}
