package raftdir

import (
	"crypto/tls"
	"errors"
	"fmt"

	gogotypes "github.com/gogo/protobuf/types"
	"github.com/moby/swarmkit/v2/api"
	"github.com/moby/swarmkit/v2/ca"
)

// The reasons for which a node certificate can't be renewed from the log alone.
var (
	// ErrExternalCA: the CA's key is not in the swarm.
	ErrExternalCA = errors.New("external CA")
	// ErrRootRotating: a rotation of the CA is under way, and which root the
	// other nodes trust already is not in the log.
	ErrRootRotating = errors.New("CA rotation under way")
)

// isCAElsewhere tells an error that leaves the renewal to the engine.
func isCAElsewhere(err error) bool {
	return errors.Is(err, ErrExternalCA) || errors.Is(err, ErrRootRotating)
}

// renew issues a new node certificate and key with the CA in the cluster object,
// for the cluster, node and role of the old one, and proves that it chains to
// the root CA that the node has (safety rule 13). The key is in clear.
func renew(c *api.Cluster, id *identity) (certPEM, keyPEM []byte, err error) {
	if len(c.Spec.CAConfig.ExternalCAs) > 0 || len(c.RootCA.CAKey) == 0 {
		return nil, nil, &Error{Kind: ErrExternalCA, File: fileNodeCert, What: "a new one is needed, and the swarm's CA is outside of the swarm", Why: "only that CA can issue a new one"}
	}
	if c.RootCA.RootRotation != nil {
		return nil, nil, &Error{Kind: ErrRootRotating, File: fileNodeCert, What: "a new one is needed, and a rotation of the swarm's CA is under way", Why: "the other nodes may not trust what either root issues"}
	}
	if err := id.trusts(c); err != nil {
		return nil, nil, err
	}
	expiry := ca.DefaultNodeCertExpiration
	if d, err := gogotypes.DurationFromProto(c.Spec.CAConfig.NodeCertExpiry); err == nil && d > 0 {
		expiry = d
	}
	root, err := ca.RootCAFromAPI(&c.RootCA, expiry)
	if err != nil {
		return nil, nil, &Error{Kind: ErrRootCA, File: fileRaft, What: "the CA in it can't be used to renew the expired node certificate", Why: whyNodeCert, Err: err}
	}
	csr, keyPEM, err := ca.GenerateNewCSR()
	if err != nil {
		return nil, nil, fmt.Errorf("no new node key: %w", err)
	}
	chain, err := root.ParseValidateAndSignCSR(csr, id.nodeID, ca.ManagerRole, id.clusterID)
	if err != nil {
		return nil, nil, certError("a new one can't be issued", err)
	}
	chain = ca.NormalizePEMs(chain)
	return chain, keyPEM, proveIssued(chain, keyPEM, id)
}

// trusts proves that the cluster's CA is the one that this node trusts.
func (id *identity) trusts(c *api.Cluster) error {
	if sameCertificates(c.RootCA.CACert, id.rootPEM) {
		return nil
	}
	return &Error{Kind: ErrRootCA, File: fileRootCA, What: "it is not the root CA that the swarm's own record has", Why: "a certificate of the swarm's CA would not chain to it"}
}

// proveIssued checks what was issued against the node's own root CA, as the
// engine does when it starts.
func proveIssued(chain, keyPEM []byte, id *identity) error {
	clusterID, role, nodeID, _, err := InspectCertificate(chain)
	if err != nil {
		return err
	}
	if clusterID != id.clusterID || role != roleManager || nodeID != id.nodeID {
		return certError("the new one is not of the same cluster, role and node", nil)
	}
	roots, err := ca.NewRootCA(id.rootPEM, nil, nil, ca.DefaultNodeCertExpiration, nil)
	if err != nil {
		return &Error{Kind: ErrRootCA, File: fileRootCA, What: "swarmkit does not take it as a root CA", Why: whyRootCA, Err: err}
	}
	if _, _, err := ca.ValidateCertChain(roots.Pool, chain, false); err != nil {
		return certError("the new one does not chain to "+fileRootCA, err)
	}
	if _, err := tls.X509KeyPair(chain, keyPEM); err != nil {
		return certError("the new one does not fit its key", err)
	}
	return nil
}
