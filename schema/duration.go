package schema

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// durationForm says in documentation and remedies how a duration is written.
const durationForm = `a duration such as "90m", "24h", "7d" or "1w12h"`

// ParseDuration reads Go's durations, with d for days of 24 hours and w for
// weeks of seven days besides. Negative ones are refused.
func ParseDuration(s string) (time.Duration, error) {
	if s == "" {
		return 0, errors.New("it is empty")
	}
	var total time.Duration
	for rest := s; rest != ""; {
		end := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if end <= 0 {
			if end < 0 {
				return 0, fmt.Errorf("%q has no unit", rest)
			}
			return 0, fmt.Errorf("a number is missing before %q", rest)
		}
		number := rest[:end]
		unit := rest[end:]
		if i := strings.IndexFunc(unit, func(r rune) bool { return r >= '0' && r <= '9' || r == '.' }); i >= 0 {
			unit = unit[:i]
		}
		part, err := durationPart(number, unit)
		if err != nil {
			return 0, err
		}
		if part > math.MaxInt64-total {
			return 0, errors.New("it is too long")
		}
		total += part
		rest = rest[end+len(unit):]
	}
	return total, nil
}

func durationPart(number, unit string) (time.Duration, error) {
	hours, big := map[string]time.Duration{"d": 24, "w": 7 * 24}[unit]
	goUnit := unit
	if big {
		goUnit = "h"
	}
	d, err := time.ParseDuration(number + goUnit)
	if err != nil {
		if _, err := time.ParseDuration("1" + goUnit); err != nil {
			return 0, fmt.Errorf("%q is not a unit; there are ns, us, ms, s, m, h, d and w", unit)
		}
		return 0, fmt.Errorf("%q is not a number that fits", number)
	}
	if !big {
		return d, nil
	}
	if d > math.MaxInt64/hours {
		return 0, errors.New("it is too long")
	}
	return d * hours, nil
}

// FormatDuration writes a duration so that ParseDuration reads it back, in the
// largest unit that it is a whole number of: "120s" is "2m", "48h" is "2d".
func FormatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	for _, u := range []struct {
		of   time.Duration
		unit string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d%u.of == 0 && d >= u.of && (u.of != day || d > day) {
			return fmt.Sprintf("%d%s", d/u.of, u.unit)
		}
	}
	return d.String()
}
