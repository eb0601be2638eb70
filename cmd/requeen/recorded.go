package main

import (
	"github.com/requeen/requeen/internal/observe"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/state/statefile"
	"github.com/requeen/requeen/internal/view"
)

// recorded is an observation that a file holds.
type recorded struct {
	file  string
	state *state.State // what the configuration's own look would have seen of it
}

// openAt is open, or where a file of an observation is named, a session that plans
// from that. Such a session has no pool: there is nothing in it through which a
// host could be reached or a command run.
func (a *app) openAt(f *configFlags, file string) (*session, error) {
	if file == "" {
		return a.open(f)
	}
	cfg, err := a.load(f)
	if err != nil {
		return nil, err
	}
	o, err := statefile.Read(file)
	if err != nil {
		return nil, err
	}
	st, err := observe.Declared(cfg, o.Observed())
	if err != nil {
		return nil, err
	}
	return &session{app: a, cfg: cfg, journal: f.journalRoot(), recorded: &recorded{file, st}}, nil
}

func (s *session) observation() view.Observation {
	return view.Observation{File: s.recorded.file, At: s.recorded.state.ObservedAt, Now: s.app.now()}
}

// showRecorded says from which file a plan is made, and how old that is.
func (s *session) showRecorded() {
	if s.recorded != nil {
		screenOf(s.app.out).Observation(s.observation())
	}
}

// recordedLines are the same for programs.
func (s *session) recordedLines() []any {
	if s.recorded == nil {
		return nil
	}
	return []any{s.observation().Line()}
}
