//go:build lab

package scenario

import (
	"context"
	"crypto/rand"
	"os"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/apply/applytest"
	"github.com/requeen/requeen/internal/effects"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/observe"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// keepsTheContract holds the real ports to the contract that the fake of the
// unit tests passes too.
func (s *swarm) keepsTheContract(t *testing.T) {
	cfg, ds := schema.Load(s.dir, schema.Options{Environ: os.Environ()})
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	pool, err := host.NewPool(observe.Targets(cfg), host.Options{SSHConfig: s.lab.SSHConfig(), Helper: program})
	must(t, err)
	defer pool.Close()
	node := "m2"
	if s.leader() == node {
		node = "m3"
	}
	world := effects.New(effectsOf(cfg, pool))
	applytest.Contract(t, applytest.Contracted{
		Ports:   apply.Ports{Observer: looking{cfg, pool}, Hosts: world, Archive: world, Recoverer: world, Shaper: world, Clock: passing{}},
		Other:   effects.New(effectsOf(cfg, pool)),
		Cluster: cfg.Cluster.Name, Node: node, Repository: "local",
		NewID: func() string { return repository.NewID(time.Now(), rand.Reader) },
	})
	s.allBack()
	s.nothingLeft()
}

func effectsOf(cfg *schema.Config, pool *host.Pool) effects.Options {
	o := effects.Options{Pool: pool, Nodes: map[string]effects.Node{}, Repositories: map[string]repository.Options{},
		ConfiguredKey: func() (string, bool) { return "", false }, Now: time.Now}
	for _, n := range cfg.Nodes {
		o.Nodes[n.Name] = effects.Node{Address: n.Address, Manager: n.Role == schema.RoleManager, DownMax: n.Engine.DownMax}
	}
	for _, r := range cfg.Repositories {
		o.Repositories[r.Name] = repository.Options{Name: r.Name, URL: r.URL, Cluster: cfg.Cluster.Name,
			Recipients: r.Recipients, IdentityFile: r.Identity}
	}
	return o
}

type looking struct {
	cfg  *schema.Config
	pool *host.Pool
}

func (l looking) Observe(ctx context.Context) (*state.State, error) {
	return observe.Read(ctx, l.cfg, l.pool, observe.Options{Now: time.Now})
}

// passing is time as it passes.
type passing struct{}

func (passing) Now() time.Time                         { return time.Now() }
func (passing) After(d time.Duration) <-chan time.Time { return time.After(d) }
