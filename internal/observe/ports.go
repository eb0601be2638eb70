package observe

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// ports are what is looked at, as this package needs it; wire.go joins them to
// the packages that reach the world.
type ports struct {
	machine    func(name string) (machine, bool)
	engine     func(dial func(context.Context) (net.Conn, error)) (engineAPI, error)
	inspect    func(certificate []byte) (clusterID, role, nodeID string, expiry time.Time, err error)
	repository func(ctx context.Context, cluster string, r schema.Repository) (repositoryAPI, error)
	// survey reads a host's raft log without changing anything, and what it says is
	// to run where it opens; nil: none does.
	survey func(ctx context.Context, m machine, swarmDir string, unlockKey []byte) (surveyedLog, error)
}

// machine is one host.
type machine interface {
	Connect(ctx context.Context) error
	HostKey() string
	Probe(ctx context.Context, what probe) (facts, error)
	DialSocket(ctx context.Context, path string) (net.Conn, error)
	// OpenLive streams certificates, snapshots and raft log as a tar archive.
	OpenLive(ctx context.Context, swarmDir string) (io.ReadCloser, error)
}

// probe is what a host is asked for in one remote command.
type probe struct {
	service  string // empty: found there
	dataRoot string // empty: found there
	cluster  string
}

// facts are a host's answers. Of host only what is the host's own account is
// set: not its name, address, target, host key, engine, or how the look went.
// Where the error is host.ErrIncomplete they are what could be seen all the same.
type facts struct {
	host        state.Host
	dataRoot    string // under which the swarm directory was looked for
	certificate []byte // PEM of the node certificate, nil when there is none
	stateFile   []byte // docker-state.json, nil when there is none
}

// engineAPI is one engine.
type engineAPI interface {
	Info(ctx context.Context) (state.Engine, error)
	Swarm(ctx context.Context) (state.Swarm, error)
	UnlockKey(ctx context.Context) ([]byte, error)
	Containers(ctx context.Context) ([]state.Container, error)
	VolumeHolders(ctx context.Context) ([]state.VolumeHolder, error)
	Volume(ctx context.Context, name string) (state.Volume, error)
	Close() error
}

// repositoryAPI is one cluster's part of a repository.
type repositoryAPI interface {
	URL() string // without credentials
	List(ctx context.Context) ([]state.Backup, error)
	ReadLock(ctx context.Context) (*state.Lock, error)
	Close() error
}
