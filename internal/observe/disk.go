package observe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"path"

	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// certificate reads who the swarm directory says this node is. A certificate
// that can't be read leaves the identity empty, so that the directory is not
// complete.
func (l *look) certificate(h *state.Host, pem []byte) {
	if len(pem) == 0 || h.SwarmDir.Presence != state.Present {
		return
	}
	sum := sha256.Sum256(pem)
	h.SwarmDir.CertificateSHA256 = hex.EncodeToString(sum[:])
	cluster, role, node, expiry, err := l.ports.inspect(pem)
	if err != nil {
		h.SwarmDir.Problem = problem(codeDisk, h.Name, "its node certificate can't be read: "+plain(err),
			"Look at certificates/swarm-node.crt in the swarm directory on that host; don't start its engine meanwhile.")
		return
	}
	h.SwarmDir.ClusterID, h.SwarmDir.Role, h.SwarmDir.NodeID = cluster, role, node
	h.SwarmDir.CertificateExpiry = expiry.UTC()
}

// addresses reads how the engine takes part in its swarm from
// docker-state.json (moby's daemon/cluster, nodeStartConfig). It is for
// comparing only, so that a file that can't be read leaves them unknown.
func addresses(h *state.Host, stateFile []byte) {
	var s struct{ ListenAddr, AdvertiseAddr, DataPathAddr string }
	if h.SwarmDir.Presence != state.Present || json.Unmarshal(stateFile, &s) != nil {
		return
	}
	d := &h.SwarmDir
	d.ListenAddr, d.AdvertiseAddr, d.DataPathAddr = s.ListenAddr, s.AdvertiseAddr, s.DataPathAddr
}

// elsewhere looks again where the engine says that its data is, when that is
// not where the host was looked at: what is absent in the wrong place is
// unknown.
func (l *look) elsewhere(ctx context.Context, n schema.Node, m machine, r *row, first facts) {
	root := r.host.Engine.DataRoot
	if root == "" || in(root, first) {
		return
	}
	second, err := l.probe(ctx, n, m, root)
	if (err == nil || errors.Is(err, host.ErrIncomplete)) && in(root, second) {
		l.take(&r.host, second)
		return
	}
	text := "the engine keeps its data in " + root + ", which is not where the swarm directory was looked for"
	if err != nil && ctx.Err() == nil {
		text += "; a second look failed: " + plain(err)
	}
	r.host.SwarmDir = state.SwarmDir{Problem: problem(codeDisk, n.Name, text,
		"Set engine { data_root } of this node to "+root+", or leave it out.")}
}

// in tells whether the facts are about this data root, by its name or, where a
// link leads there, by the swarm directory's real path.
func in(root string, f facts) bool {
	return path.Clean(f.dataRoot) == path.Clean(root) || f.host.SwarmDir.Path == path.Join(root, "swarm")
}
