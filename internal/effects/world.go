package effects

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// EngineSocket is where the engine's API listens on a host.
const EngineSocket = "/run/docker.sock"

// callTimeout bounds one call to an engine's API: a swarm call without a
// leader blocks for 20 s, and by then another manager has been asked.
const callTimeout = 8 * time.Second

// Node is what is declared of a node that the effects need.
type Node struct {
	Address string
	Manager bool
	DownMax time.Duration
}

// File is a configuration file that goes into a backup.
type File struct {
	Name  string // relative, with slashes
	Bytes []byte
}

// Options are what a World is made of.
type Options struct {
	Pool         *host.Pool
	Nodes        map[string]Node               // by the node's name
	Repositories map[string]repository.Options // by the repository's name
	// ConfiguredKey is the unlock key of the configuration; ok is false when
	// there is none.
	ConfiguredKey func() (key string, ok bool)
	// Escrow tells of which backup blocks, by label, the unlock key is stored beside
	// the backup; "" stands for safety copies.
	Escrow map[string]bool
	// ListenAddr and DataPathAddr are the cluster's, of which a host that joins has
	// none of its own; "" leaves them to the engine.
	ListenAddr   string
	DataPathAddr string
	Files        []File
	// Schedule is what is put on a host for the schedule of a backup block, by the
	// block's label: files, values and keys, and which values stay as they are there.
	Schedule func(backup string) (Schedule, error)
	// ScheduledOn is the node whose schedule this run is, by its name in the
	// configuration; "" where it is none.
	ScheduledOn string
	Now         func() time.Time
}

// World is the real world behind apply's ports. Its methods may be called at
// once from several goroutines.
type World struct {
	o Options

	mu   sync.Mutex
	keys map[string][]byte // unlock keys by swarm ID, in memory only
	// replaced are the unlock keys, by swarm ID, that were valid before a restore:
	// what its managers left on their disks is sealed with them.
	replaced map[string][]byte
	// besides are the unlock keys, by the backup's ID, that lay beside backups which
	// are restored.
	besides map[string][]byte
	// prepared is what the swarm must hold that is made of a prepared directory,
	// by the recovery's ID.
	prepared map[string]state.Inventory
}

// New makes a World. Nothing is contacted.
func New(o Options) *World {
	return &World{o: o, keys: map[string][]byte{}, replaced: map[string][]byte{}, besides: map[string][]byte{}, prepared: map[string]state.Inventory{}}
}

func (w *World) host(node string) (*host.Host, error) {
	h, ok := w.o.Pool.Host(node)
	if !ok {
		return nil, fmt.Errorf("%s: the configuration gives no connection to this node", node)
	}
	return h, nil
}

// onEngine calls f with a client of the node's engine.
func (w *World) onEngine(ctx context.Context, node string, f func(context.Context, *engine.Client) error) error {
	return w.onEngineFor(ctx, node, callTimeout, f)
}

// onEngineFor is onEngine for calls that take longer than a look.
func (w *World) onEngineFor(ctx context.Context, node string, limit time.Duration, f func(context.Context, *engine.Client) error) error {
	h, err := w.host(node)
	if err != nil {
		return err
	}
	client, err := engine.New(func(ctx context.Context) (net.Conn, error) { return h.DialSocket(ctx, EngineSocket) })
	if err != nil {
		return fmt.Errorf("%s: %w", node, err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := f(ctx, client); err != nil {
		return fmt.Errorf("%s: %w", node, err)
	}
	return nil
}

// managers are the declared managers' names, the given one last: what another
// manager says of it counts for more than what it says itself.
func (w *World) managers(last string) []string {
	var names []string
	for name, n := range w.o.Nodes {
		if n.Manager && name != last {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if n, ok := w.o.Nodes[last]; ok && n.Manager {
		names = append(names, last)
	}
	return names
}
