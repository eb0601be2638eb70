package observe

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/requeen/requeen/internal/state"
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
