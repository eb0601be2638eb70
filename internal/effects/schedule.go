package effects

import (
	"context"
	"errors"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/host"
)

var _ apply.Scheduler = (*World)(nil)

// Schedule is what a schedule takes along to its host.
type Schedule struct {
	Config   map[string][]byte // the configuration's files, by their names in its directory
	Values   map[string][]byte // secret; by the name of the variable or flag
	Keep     []string          // names of values that are not at hand here, and stay as they are there
	SignKeys map[string][]byte // by the repository's label

	Repositories []string      // labels of those that its runs store in
	Directories  []string      // that its runs read on the host
	Commands     bool          // whether commands of the backup run on the host
	DataTime     time.Duration // that its data may take
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
		Config: with.Config, Values: with.Values, Keep: with.Keep, SignKeys: with.SignKeys,
		Units: host.ScheduleUnits{At: s.At, TimeZone: s.TimeZone, EverySeconds: s.EverySeconds, Open: w.opens(with, s.Textfile), DataSeconds: int64(with.DataTime / time.Second),
			Flags: host.ScheduleFlags{Node: s.Node, FreshSeconds: s.FreshSeconds, Exported: s.Exported, Textfile: s.Textfile}},
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

// opens tells what of the host is open to a run: where it writes, since a repository or
// the metrics lie there, and what it reads.
func (w *World) opens(with Schedule, textfile string) host.ScheduleOpen {
	written := []string{textfile}
	for _, label := range with.Repositories {
		if u, err := url.Parse(w.o.Repositories[label].URL); err == nil && u.Scheme == "file" {
			written = append(written, u.Path)
		}
	}
	return host.ScheduleOpen{
		Home:     anyWithin(written, "/home", "/root", "/run/user"),
		System:   anyWithin(written, "/usr", "/etc", "/boot", "/efi"),
		Tmp:      anyWithin(append(written, with.Directories...), "/tmp", "/var/tmp"),
		Commands: with.Commands,
	}
}

// anyWithin tells whether one of the paths is one of the directories, or lies in it.
func anyWithin(paths []string, dirs ...string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		return slices.ContainsFunc(dirs, func(d string) bool { return strings.HasPrefix(path.Clean(p)+"/", d+"/") })
	})
}
