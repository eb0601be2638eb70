package observe

import (
	"context"
	"errors"
	"path/filepath"
	"sync"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// survey reads how far every raft log goes that is on a host, where no manager
// answers for the swarm: what a recovery chooses by. Nothing is changed on the
// hosts, and a manager may run meanwhile. What a log holds in clear is in private
// storage in memory, until it was read.
func (l *look) survey(ctx context.Context, s *state.State) {
	if s.Swarm != nil || l.ports.survey == nil {
		return
	}
	var wg sync.WaitGroup
	for i := range s.Hosts {
		h := &s.Hosts[i]
		if h.Looked != state.Present || !h.SwarmDir.HasRaft || h.SwarmDir.Path == "" {
			continue
		}
		m, ok := l.ports.machine(h.Name)
		if !ok {
			continue
		}
		wg.Go(func() { l.surveyOne(ctx, m, h) })
	}
	wg.Wait()
}

func (l *look) surveyOne(parent context.Context, m machine, h *state.Host) {
	ctx, cancel := bounded(parent, l.o.HostTimeout)
	defer cancel()
	key := l.cfg.Cluster.UnlockKey.Reveal()
	read, err := within(ctx, func(ctx context.Context) (surveyedLog, error) {
		return l.ports.survey(ctx, m, h.SwarmDir.Path, []byte(key))
	})
	if err != nil {
		h.SwarmDir.RaftProblem = problem(codeDisk, h.Name, "its raft log could not be read: "+plain(err),
			"Look at the raft directory on that host; what it holds may be the furthest that there is.")
		return
	}
	h.SwarmDir.Raft, h.SwarmDir.Store = &read.report, read.store
}

// surveyedLog is what was read of a raft log.
type surveyedLog struct {
	report state.RaftReport
	store  *state.Store // nil where the log did not open
}

// surveyHost is the survey port: it takes a copy of what is there and reads it.
func surveyHost(ctx context.Context, m machine, swarmDir string, key []byte) (read surveyedLog, err error) {
	private, err := repository.NewPrivate(ctx, "survey")
	if err != nil {
		return read, err
	}
	defer func() { err = errors.Join(err, private.Close()) }()
	stream, err := m.OpenLive(ctx, swarmDir)
	if err != nil {
		return read, err
	}
	dir := filepath.Join(private.Dir(), "copy")
	_, err = repository.ExtractTar(stream, dir)
	if err = errors.Join(err, stream.Close()); err != nil {
		return read, err
	}
	if len(key) == 0 {
		key = nil
	}
	dir = filepath.Join(dir, "swarm")
	if read.report, err = raftdir.Survey(ctx, dir, raftdir.SurveyOptions{UnlockKey: key}); err != nil {
		return read, err
	}
	if len(read.report.Members) > 0 {
		if content, err := raftdir.Content(ctx, dir, key); err == nil {
			read.store = &content
		}
	}
	return read, nil
}
