package effects

import (
	"testing"

	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/repository"
)

// TestWhatIsOpenToASchedule: a run can write into every repository of its backup and to
// its metrics, and sees what it is to read, wherever that lies.
func TestWhatIsOpenToASchedule(t *testing.T) {
	w := New(Options{Repositories: map[string]repository.Options{
		"bucket": {URL: "s3://home"}, "srv": {URL: "file:///srv/backups"}, "home": {URL: "file:///home/backups"},
		"tmp": {URL: "file:///var/tmp/backups"}, "like": {URL: "file:///homes/x"},
	}})
	for name, tt := range map[string]struct {
		with     Schedule
		textfile string
		want     host.ScheduleOpen
	}{
		"nothing":             {Schedule{Repositories: []string{"bucket", "srv", "like"}}, "/var/lib/node-exporter/r.prom", host.ScheduleOpen{}},
		"the first":           {Schedule{Repositories: []string{"home"}}, "", host.ScheduleOpen{Home: true}},
		"a copy":              {Schedule{Repositories: []string{"bucket", "home", "tmp"}}, "", host.ScheduleOpen{Home: true, Tmp: true}},
		"the metrics":         {Schedule{Repositories: []string{"bucket"}}, "/etc/metrics/r.prom", host.ScheduleOpen{System: true}},
		"what it reads":       {Schedule{Repositories: []string{"bucket"}, Directories: []string{"/etc/traefik", "/tmp/dumps"}}, "", host.ScheduleOpen{Tmp: true}},
		"commands of its own": {Schedule{Repositories: []string{"bucket"}, Commands: true}, "", host.ScheduleOpen{Commands: true}},
	} {
		if got := w.opens(tt.with, tt.textfile); got != tt.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
