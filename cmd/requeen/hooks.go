package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
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
	told := map[string]bool{}
	for i := range result.Backups {
		if b := &result.Backups[i]; b.Kind == state.KindRegular && !told[b.Backup] && b.TakenAt.After(began.Add(-time.Hour)) {
			told[b.Backup] = true
			s.successHook(b, began)
		}
	}
	if err == nil || errors.Is(err, apply.ErrInterrupted) || waiting(err) {
		return
	}
	for _, step := range p.Steps {
		if step.Kind == plan.Verify && step.Recovery == "" && !told[step.Backup] {
			told[step.Backup] = true
			s.failureHook(step.Backup, began, err)
		}
	}
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
