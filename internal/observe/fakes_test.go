package observe

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// world is what the fakes show.
type world struct {
	machines     map[string]*fakeMachine
	repositories map[string]*fakeRepository
}

// fakeMachine is a host. A nil function answers at once and well.
type fakeMachine struct {
	name    string
	connect func(context.Context) error
	facts   facts
	probe   func(context.Context, probe) (facts, error)
	dial    error
	engine  *fakeEngine

	mu     sync.Mutex
	probes []probe
	dials  []string
}

func (m *fakeMachine) Connect(ctx context.Context) error {
	if m.connect == nil {
		return nil
	}
	return m.connect(ctx)
}

func (m *fakeMachine) HostKey() string { return "SHA256:" + m.name }

func (m *fakeMachine) Probe(ctx context.Context, what probe) (facts, error) {
	m.mu.Lock()
	m.probes = append(m.probes, what)
	m.mu.Unlock()
	if m.probe != nil {
		return m.probe(ctx, what)
	}
	return m.facts, nil
}

// fakeConn leads to a machine's engine.
type fakeConn struct {
	net.Conn
	to *fakeEngine
}

func (m *fakeMachine) DialSocket(_ context.Context, path string) (net.Conn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dials = append(m.dials, path)
	if m.dial != nil {
		return nil, m.dial
	}
	return fakeConn{to: m.engine}, nil
}

func (m *fakeMachine) OpenLive(context.Context, string) (io.ReadCloser, error) {
	return nil, errors.New("the fake has no directory")
}

// fakeEngine is what answers behind a socket.
type fakeEngine struct {
	info     state.Engine
	infoErr  error
	onInfo   func(context.Context) error
	swarm    state.Swarm
	swarmErr error
	onSwarm  func(context.Context) error
	key      []byte
	keyErr   error
	made     []state.Container
	madeErr  error
	holds    []state.VolumeHolder
	volumes  []state.Volume

	mu        sync.Mutex
	keyAsked  int
	madeAsked int
	holdAsked int
	closed    int
	swarmedAt time.Time
}

// fakeClient is a client of the engine to which its dialer leads.
type fakeClient struct {
	dial func(context.Context) (net.Conn, error)
	to   atomic.Pointer[fakeEngine]
}

func (c *fakeClient) Info(ctx context.Context) (state.Engine, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return state.Engine{}, err
	}
	e := conn.(fakeConn).to
	c.to.Store(e)
	if e.onInfo != nil {
		if err := e.onInfo(ctx); err != nil {
			return state.Engine{}, err
		}
	}
	return e.info, e.infoErr
}

func (c *fakeClient) Swarm(ctx context.Context) (state.Swarm, error) {
	e := c.to.Load()
	e.mu.Lock()
	e.swarmedAt = time.Now()
	e.mu.Unlock()
	if e.onSwarm != nil {
		if err := e.onSwarm(ctx); err != nil {
			return state.Swarm{}, err
		}
	}
	return e.swarm, e.swarmErr
}

func (c *fakeClient) UnlockKey(context.Context) ([]byte, error) {
	e := c.to.Load()
	e.keyAsked++
	return e.key, e.keyErr
}

func (c *fakeClient) Containers(context.Context) ([]state.Container, error) {
	e := c.to.Load()
	if e == nil {
		return nil, errors.New("the socket refuses")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.madeAsked++
	return e.made, e.madeErr
}

func (c *fakeClient) Volume(_ context.Context, name string) (state.Volume, error) {
	e := c.to.Load()
	if e == nil {
		return state.Volume{}, errors.New("the socket refuses")
	}
	for _, v := range e.volumes {
		if v.Name == name {
			return v, nil
		}
	}
	return state.Volume{Name: name, Looked: state.Absent}, nil
}

func (c *fakeClient) VolumeHolders(context.Context) ([]state.VolumeHolder, error) {
	e := c.to.Load()
	if e == nil {
		return nil, errors.New("the socket refuses")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.holdAsked++
	return e.holds, e.madeErr
}

func (c *fakeClient) Close() error {
	if e := c.to.Load(); e != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.closed++
	}
	return nil
}

type fakeRepository struct {
	open    error
	list    func(context.Context) error
	backups []state.Backup
	lock    *state.Lock
	lockErr error
	cluster string
	closed  int
}

func (r *fakeRepository) URL() string { return "file:///shown" }

func (r *fakeRepository) List(ctx context.Context) ([]state.Backup, error) {
	if r.list != nil {
		if err := r.list(ctx); err != nil {
			return nil, err
		}
	}
	return r.backups, nil
}

func (r *fakeRepository) ReadLock(context.Context) (*state.Lock, error) { return r.lock, r.lockErr }

func (r *fakeRepository) Close() error {
	r.closed++
	return nil
}

func (w *world) ports() ports {
	return ports{
		machine: func(name string) (machine, bool) {
			m, ok := w.machines[name]
			return m, ok
		},
		engine: func(dial func(context.Context) (net.Conn, error)) (engineAPI, error) {
			return &fakeClient{dial: dial}, nil
		},
		inspect: func(pem []byte) (string, string, string, time.Time, error) {
			if string(pem) == "broken" {
				return "", "", "", time.Time{}, errors.New("it is no PEM certificate")
			}
			return clusterID, "manager", string(pem), observedAt.Add(time.Hour), nil
		},
		repository: func(_ context.Context, cluster string, d schema.Repository) (repositoryAPI, error) {
			r := w.repositories[d.Name]
			if r.open != nil {
				return nil, r.open
			}
			r.cluster = cluster
			return r, nil
		},
	}
}
