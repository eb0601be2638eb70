package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// hookTime is how long a hook may take.
var hookTime = time.Minute

// hookEvent is what a hook gets on standard input. It holds no secret.
type hookEvent struct {
	FormatVersion int       `json:"format_version"`
	Event         string    `json:"event"` // backup.succeeded or backup.failed
	Cluster       string    `json:"cluster"`
	Backup        string    `json:"backup"` // the block's label
	Repository    string    `json:"repository"`
	ID            string    `json:"id,omitempty"`   // of the backup that was made
	Node          string    `json:"node,omitempty"` // that it is of
	TakenAt       time.Time `json:"taken_at,omitzero"`
	StartedAt     time.Time `json:"started_at"`
	EndedAt       time.Time `json:"ended_at"`
	Seconds       float64   `json:"duration_seconds"`
	Bytes         int64     `json:"bytes,omitempty"`    // as stored
	Verified      string    `json:"verified,omitempty"` // the level
	Code          string    `json:"code,omitempty"`     // an RQ code
	Error         string    `json:"error,omitempty"`
	Remedy        string    `json:"remedy,omitempty"`
}

const (
	eventSucceeded = "backup.succeeded"
	eventFailed    = "backup.failed"
)

// hooks tells the hooks of a plan's backups how its run ended. An interrupt is nobody's
// failure, and a run that met another made none.
func (s *session) hooks(p *plan.Plan, result apply.Result, began time.Time, err error) {
	told, lacks := map[string]bool{}, uncopied(p, err)
	for i := range result.Backups {
		if b := &result.Backups[i]; b.Kind == state.KindRegular && !told[b.Backup] && !lacks[b.Backup] && b.TakenAt.After(began.Add(-time.Hour)) {
			told[b.Backup] = true
			if doubt := suspect(b); doubt != nil {
				s.failureHook(b.Backup, began, doubt)
				continue
			}
			s.successHook(b, began)
		}
	}
	if err == nil || errors.Is(err, apply.ErrInterrupted) || waiting(err) {
		return
	}
	for _, step := range p.Steps {
		if (step.Kind == plan.Verify || step.Kind == plan.CopyBackup) && step.Recovery == "" && !told[step.Backup] {
			told[step.Backup] = true
			s.failureHook(step.Backup, began, err)
		}
	}
}

// suspect is why a backup that was made counts for nothing (safety rule 16); nil where it
// counts.
func suspect(b *state.Backup) error {
	if len(b.Suspect) == 0 {
		return nil
	}
	row, _ := diag.Lookup(diag.SuspectBackup)
	return diag.Diagnostic{Severity: diag.Error, Code: row.ID, Summary: "Backup " + b.ID + " was made, and is suspect",
		Detail: strings.Join(b.Suspect, "; ") + ". It satisfies no max_age.", Remedy: row.Remedy}
}

// uncopied are the backups that a run which ended so did not bring into each of their
// repositories: they do not count yet, whatever the first of these holds.
func uncopied(p *plan.Plan, err error) map[string]bool {
	lacks := map[string]bool{}
	if err == nil {
		return lacks
	}
	ended := 0 // before any step
	var at *apply.RunError
	if errors.As(err, &at) {
		ended = at.Step
	}
	for _, step := range p.Steps {
		if step.Kind == plan.CopyBackup && step.ID >= ended {
			lacks[step.Backup] = true
		}
	}
	return lacks
}

// waiting tells whether a run ended for a reason after which it is tried again.
func waiting(err error) bool {
	_, again := waits(err).(*waitError)
	return again
}

func (s *session) successHook(b *state.Backup, began time.Time) {
	block := s.cfg.Backup(b.Backup)
	if block == nil {
		return
	}
	e := s.hookEvent(eventSucceeded, b.Backup, began)
	e.ID, e.Node, e.TakenAt, e.Verified = b.ID, b.Node, b.TakenAt, b.Verified
	for _, o := range b.Stored {
		e.Bytes += o.Size
	}
	s.runHook("on_success", block.OnSuccess, e)
}

func (s *session) failureHook(backup string, began time.Time, err error) {
	block := s.cfg.Backup(backup)
	if block == nil {
		return
	}
	if s.hooked == nil {
		s.hooked = map[string]bool{}
	}
	s.hooked[backup] = true
	e := s.hookEvent(eventFailed, backup, began)
	if ds := explain(err); len(ds) > 0 {
		e.Code, e.Remedy = ds[0].Code, ds[0].Remedy
		e.Error = strings.TrimSpace(ds[0].Summary + ". " + ds[0].Detail)
	}
	s.runHook("on_failure", block.OnFailure, e)
}

// hasMade tells whether the last plan that was run made a backup of the block: what failed
// then is not that it was to be made and was not.
func (s *session) hasMade(backup string) bool {
	return slices.ContainsFunc(s.made, func(b state.Backup) bool { return b.Backup == backup && b.Kind == state.KindRegular })
}

func (s *session) hookEvent(event, backup string, began time.Time) hookEvent {
	ended := s.app.now()
	return hookEvent{FormatVersion: 1, Event: event, Cluster: s.cfg.Cluster.Name, Backup: backup, Repository: s.cfg.Backup(backup).Repository,
		StartedAt: began.UTC().Truncate(time.Second), EndedAt: ended.UTC().Truncate(time.Second), Seconds: ended.Sub(began).Round(time.Millisecond).Seconds()}
}

// runHook runs a command. That it fails is a warning: the backup is what it is.
func (s *session) runHook(name string, command []string, e hookEvent) {
	if len(command) == 0 {
		return
	}
	text, err := json.Marshal(e)
	if err != nil {
		s.warnOf(name+" of backup "+e.Backup+" was not run", err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), hookTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin = bytes.NewReader(append(text, '\n'))
	cmd.Stdout, cmd.Stderr = s.app.err, s.app.err
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("it did not end within %s, and was killed", hookTime)
	}
	if err != nil {
		s.warnOf(name+" of backup "+e.Backup+" failed", err)
	}
}

// warnOf shows a warning that changes nothing of what was done.
func (s *session) warnOf(summary string, err error) {
	screenOf(s.app.err).Diagnostics(diag.Diagnostics{{Severity: diag.Warning, Summary: summary, Detail: err.Error() + ". The backup itself is not touched by that.",
		Remedy: "Mend what the message names."}})
}
