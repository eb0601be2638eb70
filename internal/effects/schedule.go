package effects

import (
	"context"
	"errors"
	"net/url"
	"path"
	"strings"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/host"
)

var _ apply.Scheduler = (*World)(nil)

// Schedule is what a schedule takes along to its host.
type Schedule struct {
	Config  map[string][]byte // the configuration's files, by their names in its directory
	Values  map[string][]byte // secret; by the name of the variable or flag
	Keep    []string          // names of values that are not at hand here, and stay as they are there
	SignKey []byte            // the repository's, nil for none
}

// ReadySchedule finds what a schedule takes along, and puts the program on the host.
func (w *World) ReadySchedule(ctx context.Context, s apply.ScheduleAt) error {
	if _, err := w.o.Schedule(s.Backup); err != nil {
		return err
	}
	h, err := w.host(s.Node)
	if err != nil {
		return err
	}
	_, err = h.EnsureHelper(ctx)
	return err
}

// PutSchedule puts a schedule with all that it needs on the host.
func (w *World) PutSchedule(ctx context.Context, s apply.ScheduleAt) error {
	h, err := w.host(s.Node)
	if err != nil {
		return err
	}
	if s.Host.MachineID == "" {
		return errors.New(s.Node + " did not tell which machine it is, and keys go to no other")
	}
	with, err := w.o.Schedule(s.Backup)
	if err != nil {
		return err
	}
	return h.PutSchedule(ctx, host.Schedule{
		Cluster: s.Cluster, Backup: s.Backup, MachineID: s.Host.MachineID, Token: s.Token, Declared: s.Declared, Version: s.Version,
		Config: with.Config, Values: with.Values, Keep: with.Keep, SignKey: with.SignKey,
		Units: host.ScheduleUnits{At: s.At, TimeZone: s.TimeZone, EverySeconds: s.EverySeconds, Open: opens(w.o.Repositories[s.Repository].URL),
			Flags: host.ScheduleFlags{Node: s.Node, Repository: s.Repository, FreshSeconds: s.FreshSeconds, Exported: s.Exported, Textfile: s.Textfile}},
	})
}

// TakeSchedule takes a schedule away from the host.
func (w *World) TakeSchedule(ctx context.Context, s apply.ScheduleAt) error {
	h, err := w.host(s.Node)
	if err != nil {
		return err
	}
	return h.TakeSchedule(ctx, s.Cluster, s.Backup, s.Host.MachineID, s.Token)
}

// opens tells where a run has to write since the repository lies there.
func opens(repository string) host.ScheduleOpen {
	u, err := url.Parse(repository)
	if err != nil || u.Scheme != "file" {
		return host.ScheduleOpen{}
	}
	below := func(dirs ...string) bool {
		for _, d := range dirs {
			if strings.HasPrefix(path.Clean(u.Path)+"/", d+"/") {
				return true
			}
		}
		return false
	}
	return host.ScheduleOpen{Home: below("/home", "/root", "/run/user"), System: below("/usr", "/etc", "/boot", "/efi"), Tmp: below("/tmp", "/var/tmp")}
}
