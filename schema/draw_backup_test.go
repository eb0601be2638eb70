package schema

import (
	"fmt"
	"time"

	"pgregory.net/rapid"
)

// oddText is text that HCL has to quote.
var oddText = rapid.SampledFrom([]string{"true", "sh", "-c", `echo "$HOME" ${x} %{y}`, "two\nlines", "", "ü"})

// reachable are the nodes on whose hosts something can be read or put.
func reachable(cfg *Config) (names []string) {
	for _, n := range cfg.Nodes {
		if !n.Connection.None {
			names = append(names, n.Name)
		}
	}
	return names
}

// drawParts adds what a backup has beside the swarm: data, copies, rules, a schedule and
// hooks. Volumes come before directories, as they are read.
func drawParts(t *rapid.T, cfg *Config, b *Backup) {
	if names := reachable(cfg); len(names) > 0 {
		for i := range rapid.IntRange(0, 2).Draw(t, "volumes") {
			d := drawData(t, DataVolume, fmt.Sprintf("v%d", i), names)
			d.Volume = rapid.SampledFrom([]string{d.Name, "stack_" + d.Name, "0.a-b_" + d.Name}).Draw(t, "volume")
			b.Data = append(b.Data, d)
		}
		for i := range rapid.IntRange(0, 2).Draw(t, "directories") {
			d := drawData(t, DataDirectory, fmt.Sprintf("v%d", i), names)
			d.Path = fmt.Sprintf(rapid.SampledFrom([]string{"/etc/a%d", `/srv/"q" ${x}%%{y}/%d`, "/ü/%d"}).Draw(t, "path"), i)
			b.Data = append(b.Data, d)
		}
		if rapid.Bool().Draw(t, "schedule") {
			b.Schedule = &Schedule{Every: drawDuration(t, MinEvery), On: rapid.SampledFrom(names).Draw(t, "on"),
				Environment: rapid.SampledFrom([][]string{nil, {"A"}, {"AWS_ACCESS_KEY_ID", "_x"}}).Draw(t, "environment"), Textfile: rapid.SampledFrom([]string{"", "/var/lib/${x}.prom"}).Draw(t, "textfile")}
			if rapid.Bool().Draw(t, "at") {
				b.Schedule.Every, b.Schedule.At = 0, "03:10"
				b.Schedule.TimeZone = rapid.SampledFrom([]string{"", "UTC", "Europe/Amsterdam"}).Draw(t, "zone")
			}
		}
	}
	if rapid.Bool().Draw(t, "copies") {
		b.Copies = rapid.SampledFrom([][]string{{"a", "b.c"}, {"b.c", "a"}}).Draw(t, "places")
		b.Repository, b.KeyEscrow = b.Copies[0], false // one of them is in clear
	}
	if rapid.Bool().Draw(t, "keep") {
		b.Keep = &Keep{Last: rapid.IntRange(1, 9).Draw(t, "last"), Weekly: rapid.IntRange(0, 9).Draw(t, "weekly"), TimeZone: rapid.SampledFrom([]string{DefaultTimeZone, "Europe/Amsterdam"}).Draw(t, "keep's zone")}
	}
}

func drawData(t *rapid.T, kind, name string, nodes []string) Data {
	d := Data{Kind: kind, Name: name, Node: rapid.SampledFrom(nodes).Draw(t, "node"), OnError: rapid.SampledFrom([]string{OnErrorFail, OnErrorContinue}).Draw(t, "on_error"),
		Timeout: min(drawDuration(t, time.Second), 7*24*time.Hour), Quiesce: rapid.SampledFrom([][]string{nil, {"db"}, {"z", "db_postgres", "a-b"}}).Draw(t, "quiesce")}
	for _, c := range []**Command{&d.Before, &d.After} {
		if rapid.Bool().Draw(t, "command") {
			*c = &Command{Service: rapid.SampledFrom([]string{"", "db_postgres"}).Draw(t, "service"), Args: append([]string{"run"}, rapid.SliceOfN(oddText, 0, 3).Draw(t, "args")...)}
		}
	}
	return d
}
