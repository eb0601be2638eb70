package raftdir

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/moby/swarmkit/v2/api"
	"github.com/moby/swarmkit/v2/manager/state/store"

	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
)

// TestProof writes a good directory and expects another: each difference that a
// mistake in writing could make is found.
func TestProof(t *testing.T) {
	b := raftdirtest.Build(t, filepath.Join(t.TempDir(), "swarm"), raftdirtest.Options{
		Secrets: 2, Members: []raftdirtest.Member{{RaftID: 2, NodeID: "managertwo", Addr: "10.0.0.12:2377"}},
	})
	good := Preparation{Address: "10.9.0.1:2377", Epoch: "e2", Now: time.Now()}
	for name, spoil := range map[string]func(*successor, *Preparation){
		"nothing":              nil,
		"another address":      func(n *successor, _ *Preparation) { n.member.Addr = "10.0.0.11:2377" },
		"another raft ID":      func(n *successor, _ *Preparation) { n.member.RaftID = "2" },
		"another epoch":        func(_ *successor, p *Preparation) { p.Epoch = "e3" },
		"a term too low":       func(_ *successor, p *Preparation) { p.TermAbove = 1 << 20 },
		"another snapshot":     func(n *successor, _ *Preparation) { n.snapshot.Metadata.Index++ },
		"other content":        func(n *successor, _ *Preparation) { n.snapshot.Data = append([]byte{0}, n.snapshot.Data...) },
		"another log key":      func(n *successor, _ *Preparation) { n.dek = make([]byte, 32) },
		"another hard state":   func(n *successor, _ *Preparation) { n.state.Vote++ },
		"an object missing":    func(n *successor, _ *Preparation) { n.ids = append(n.ids, "secret x") },
		"a member not refused": func(n *successor, _ *Preparation) { n.removed = append(n.removed, 3) },
	} {
		t.Run(name, func(t *testing.T) {
			p := good
			src, err := openSource(t.Context(), b.Dir, p)
			must(t, err)
			defer src.swarm.close()
			n, err := succeed(src, p, nil)
			must(t, err)
			out := filepath.Join(t.TempDir(), "prepared")
			must(t, os.Mkdir(out, 0o700))
			must(t, n.write(t.Context(), out))
			if spoil != nil {
				spoil(n, &p)
			}
			if _, err := n.prove(t.Context(), out, p); (spoil == nil) != (err == nil) || (err != nil && !errors.Is(err, ErrPrepared)) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestMoved: where the node's object records the old address it gets the new
// one, and what somebody else wrote there stays.
func TestMoved(t *testing.T) {
	for had, want := range map[string]string{"10.0.0.11": "10.9.0.1", "192.0.2.7": "192.0.2.7", "": ""} {
		b := raftdirtest.Build(t, filepath.Join(t.TempDir(), "swarm"), raftdirtest.Options{NodeAddr: had})
		src, err := openSource(t.Context(), b.Dir, Preparation{})
		must(t, err)
		defer src.swarm.close()
		_, err = succeed(src, Preparation{Address: "10.9.0.1:2377", Epoch: "e2"}, nil)
		must(t, err)
		src.swarm.store.View(func(tx store.ReadTx) {
			if got := store.GetNode(tx, raftdirtest.NodeID).Status.Addr; got != want {
				t.Errorf("%q becomes %q, want %q", had, got, want)
			}
		})
	}
	n := &api.Node{ManagerStatus: &api.ManagerStatus{Addr: "old"}}
	if moveNode(n, "10.0.0.11:2377", "10.9.0.1:2377"); n.ManagerStatus.Addr != "10.9.0.1:2377" || n.Status.Addr != "" {
		t.Errorf("node %+v", n)
	}
}

// TestIssuedIsProved: a certificate that is not what was asked for, or does not
// chain to the node's own root CA, is never written (safety rule 13).
func TestIssuedIsProved(t *testing.T) {
	read := func(o raftdirtest.Options) (*identity, []byte, []byte) {
		b := raftdirtest.Build(t, filepath.Join(t.TempDir(), "swarm"), o)
		id, err := readIdentity(b.Dir, Options{})
		if id.key == nil {
			t.Fatal(err)
		}
		cert, err := os.ReadFile(filepath.Join(b.Dir, fileNodeCert))
		must(t, err)
		return id, cert, id.key.pem
	}
	id, cert, key := read(raftdirtest.Options{})
	must(t, proveIssued(cert, key, id))
	_, otherCert, otherKey := read(raftdirtest.Options{})
	_, strange, strangeKey := read(raftdirtest.Options{NodeID: "somebodyelse"})
	expired, expiredCert, expiredKey := read(raftdirtest.Options{CertExpiry: time.Now().Add(-time.Hour)})
	for name, c := range map[string]struct {
		id        *identity
		cert, key []byte
	}{
		"no certificate":       {id, nil, key},
		"of another root":      {id, otherCert, otherKey},
		"of another node":      {id, strange, strangeKey},
		"another key":          {id, cert, otherKey},
		"one that has expired": {expired, expiredCert, expiredKey},
	} {
		if err := proveIssued(c.cert, c.key, c.id); !errors.Is(err, ErrCertificate) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
