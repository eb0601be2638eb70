package observe

import (
	"context"
	"errors"
	"net"

	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// Targets says how each declared node's host is reached, for host.NewPool; a
// node without a connection has none.
func Targets(cfg *schema.Config) []host.Target {
	var list []host.Target
	for _, n := range cfg.Nodes {
		c := n.Connection
		if c.None {
			continue
		}
		t := host.Target{Name: n.Name, Become: c.Become, Local: c.Local}
		if !c.Local {
			t.User, t.Host, t.Port = c.SSH.User, c.SSH.Host, c.SSH.Port
		}
		list = append(list, t)
	}
	return list
}

// Read looks at everything that cfg declares. pool holds the hosts of Targets.
// What could not be looked at is unknown in the state, with a Problem that says
// why; that is no error.
//
// The error is the context's, when it ended before the look did: the state then
// holds what was known by that time, the rest unknown.
func Read(ctx context.Context, cfg *schema.Config, pool *host.Pool, o Options) (*state.State, error) {
	if cfg == nil || pool == nil {
		return nil, errors.New("observe: a configuration and a pool of hosts are needed")
	}
	return read(ctx, cfg, wire(pool), o)
}

// wire joins the ports to the packages that reach the world.
func wire(pool *host.Pool) ports {
	return ports{
		machine: func(name string) (machine, bool) {
			h, ok := pool.Host(name)
			return wiredHost{h}, ok
		},
		engine: func(dial func(context.Context) (net.Conn, error)) (engineAPI, error) {
			c, err := engine.New(dial)
			if err != nil {
				return nil, err
			}
			return c, nil
		},
		inspect:    raftdir.InspectCertificate,
		repository: openRepository,
		survey:     surveyHost,
	}
}

// wiredHost is a host with its answers in this package's form.
type wiredHost struct{ *host.Host }

// Probe asks the host.
func (w wiredHost) Probe(ctx context.Context, what probe) (facts, error) {
	f, err := w.Host.Probe(ctx, host.ProbeOptions{Service: what.service, DataRoot: what.dataRoot, Cluster: what.cluster})
	return facts{host: f.Host, dataRoot: f.DataRoot, certificate: f.CertificatePEM, stateFile: f.StateFile}, err
}

func openRepository(ctx context.Context, cluster string, d schema.Repository) (repositoryAPI, error) {
	r, err := repository.Open(ctx, repository.Options{
		Name: d.Name, URL: d.URL, Cluster: cluster,
		Recipients: d.Recipients, Plaintext: d.Plaintext, IdentityFile: d.Identity,
		VerifyKeys: d.VerifyKeys,
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}
