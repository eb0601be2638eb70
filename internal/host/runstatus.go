package host

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// errCutShort says that a script's answer does not end as it should.
var errCutShort = errors.New("host: the answer was cut short")

// BackupStatus tells how far a run is; found is false when the host has none of
// this ID. While its unit has the engine down, the host takes up to five seconds
// for the answer, so that asking again does not slow the engine down.
func (h *Host) BackupStatus(ctx context.Context, id string) (run state.HostRun, found bool, err error) {
	if err := checkName("backup ID", id); err != nil {
		return state.HostRun{}, false, err
	}
	runs, err := h.listRuns(ctx, `wait_run "$2"; list_runs`, id)
	if err != nil {
		return state.HostRun{}, false, err
	}
	for _, r := range runs {
		if r.ID == id {
			return r, true, nil
		}
	}
	return state.HostRun{}, false, nil
}

// ListRuns gives the runs of a cluster that are on the host, oldest first, those
// of all clusters when cluster is empty. It changes nothing.
func (h *Host) ListRuns(ctx context.Context, cluster string) ([]state.HostRun, error) {
	runs, err := h.listRuns(ctx, "list_runs")
	if err != nil {
		return nil, err
	}
	if cluster == "" {
		return runs, nil
	}
	return slices.DeleteFunc(runs, func(r state.HostRun) bool { return r.Cluster != cluster }), nil
}

func (h *Host) listRuns(ctx context.Context, what string, args ...string) ([]state.HostRun, error) {
	text, err := h.Output(ctx, Command{
		Script: "dir=$1\n" + listScript + what, Args: append([]string{h.pool.stateDir()}, args...), Root: true,
	})
	if err != nil {
		return nil, err
	}
	return ParseRuns(text)
}

// ParseRuns reads what list.sh printed, also where other lines stand between.
func ParseRuns(text string) ([]state.HostRun, error) {
	var (
		runs  []state.HostRun
		boot  string
		now   *runBuilder
		ended bool
	)
	flush := func() {
		if now != nil {
			runs = append(runs, now.finish(boot))
		}
		now = nil
	}
	for _, line := range strings.Split(text, "\n") {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\r"), "=")
		if !ok {
			continue
		}
		switch {
		case key == "boot_id":
			boot = value
		case key == "run":
			flush()
			now = &runBuilder{run: state.HostRun{ID: value}, meta: map[string]string{}}
		case key == "runs_end":
			flush()
			ended = true
		case now != nil && strings.HasPrefix(key, "run."):
			now.take(strings.TrimPrefix(key, "run."), value)
		}
	}
	if !ended {
		return nil, errCutShort
	}
	slices.SortStableFunc(runs, func(a, b state.HostRun) int { return strings.Compare(a.ID, b.ID) })
	return runs, nil
}

// runBuilder gathers one run's lines.
type runBuilder struct {
	run    state.HostRun
	meta   map[string]string
	copied bool
}

func (b *runBuilder) take(key, value string) {
	switch key {
	case "meta":
		if k, v, ok := strings.Cut(value, "="); ok {
			b.meta[k] = v
		}
	case "status":
		b.status(value)
	case "unit", "rescue":
		b.run.UnitActive = b.run.UnitActive || working(value)
	case "timer":
		b.run.TimerArmed = value == "active"
	case "bytes":
		b.run.CopyBytes, _ = strconv.ParseInt(value, 10, 64)
	}
}

func working(state string) bool {
	switch state {
	case "active", "activating", "deactivating", "reloading":
		return true
	}
	return false
}

// status takes a line of the status file. The phase only goes on, but failed is
// the last word.
func (b *runBuilder) status(line string) {
	phase, rest, _ := strings.Cut(line, " ")
	stamp, text, _ := strings.Cut(rest, " ")
	at := unixTime(stamp)
	r := &b.run
	advance := func(to state.Phase) {
		if r.Phase != state.PhaseFailed {
			r.Phase = to
		}
	}
	switch phase {
	case "prepared":
		advance(state.PhasePrepared)
	case "stopping":
		// The engine may be down from here on, whatever comes after.
		r.StoppedAt = at
		advance(state.PhaseStopped)
	case "stopped":
		r.StoppedAt = at
		advance(state.PhaseStopped)
	case "copied":
		b.copied = true
		advance(state.PhaseCopied)
	case "started":
		r.StartedAt = at
		advance(state.PhaseStarted)
	case "unlocked":
		r.UnlockedAt = at
		advance(state.PhaseUnlocked)
	case "failed":
		r.Phase = state.PhaseFailed
		r.Failure = orWord(strings.TrimSpace(text), "failed without a reason")
	}
}

func (b *runBuilder) finish(boot string) state.HostRun {
	r := b.run
	r.Cluster, r.Backup, r.Repository = b.meta["cluster"], b.meta["backup"], b.meta["repository"]
	r.SwarmID, r.NodeID = b.meta["swarm_id"], b.meta["node_id"]
	if r.Phase == "" {
		r.Phase = state.PhasePrepared
	}
	// Nothing was synced: after a reboot the copy may lack its data.
	r.CopyIntact = b.copied && boot != "" && b.meta["boot_id"] == boot
	return r
}

// unixTime reads "<seconds>.<nanoseconds>", the zero time when it is not one.
func unixTime(s string) time.Time {
	sec, frac, _ := strings.Cut(s, ".")
	seconds, err := strconv.ParseInt(sec, 10, 64)
	if err != nil || seconds <= 0 || seconds > math.MaxInt32*64 {
		return time.Time{}
	}
	frac = (frac + "000000000")[:9]
	nanos, err := strconv.ParseInt(frac, 10, 64)
	if err != nil {
		nanos = 0
	}
	return time.Unix(seconds, nanos).UTC()
}
