package raftdir

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/moby/swarmkit/v2/api"
	"github.com/moby/swarmkit/v2/ca"
)

// The roles as state.RaftReport and state.SwarmDir spell them.
const (
	roleManager = "manager"
	roleWorker  = "worker"
)

const (
	whyNodeCert = "the engine erases the whole swarm directory when it starts without a good one"
	whyRootCA   = "the engine makes a new CA when it starts without it, and no node trusts that one"
)

// InspectCertificate reads the identity in a swarm-node.crt: the cluster's ID
// (organisation), the role (unit; "manager" or "worker"), the node's ID (common
// name) and when it expires. It checks no signature. The error is ErrCertificate.
func InspectCertificate(certPEM []byte) (clusterID, role, nodeID string, expiry time.Time, err error) {
	block, _ := pem.Decode(certPEM)
	if block == nil || block.Type != "CERTIFICATE" {
		return "", "", "", time.Time{}, certError("it is no PEM certificate", nil)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", "", "", time.Time{}, certError("it can't be parsed", err)
	}
	s := cert.Subject
	if len(s.Organization) != 1 || len(s.OrganizationalUnit) != 1 || s.Organization[0] == "" || s.CommonName == "" {
		return "", "", "", time.Time{}, certError("its subject does not tell one cluster, one role and one node", nil)
	}
	apiRole, err := ca.FormatRole(s.OrganizationalUnit[0])
	if err != nil {
		return "", "", "", time.Time{}, certError("its role is neither manager nor worker", nil)
	}
	role = roleWorker
	if apiRole == api.NodeRoleManager {
		role = roleManager
	}
	return s.Organization[0], role, s.CommonName, cert.NotAfter.UTC(), nil
}

// identity is who the copied directory says it is.
type identity struct {
	clusterID, role, nodeID string
	expiry                  time.Time
	rootPEM                 []byte
	rootSHA256              string
	key                     *nodeKey
}

// readIdentity reads certificates/ and proves that certificate, key and root CA
// belong together and are a manager's. The identity is filled as far as it got.
func readIdentity(dir string, opts Options) (*identity, error) {
	id := &identity{}
	cert, err := readFile(dir, fileNodeCert, whyNodeCert)
	if err != nil {
		return id, err
	}
	if id.clusterID, id.role, id.nodeID, id.expiry, err = InspectCertificate(cert); err != nil {
		return id, err
	}
	keyPEM, err := readFile(dir, fileNodeKey, whyNodeKey)
	if err != nil {
		return id, err
	}
	if id.rootPEM, err = readFile(dir, fileRootCA, whyRootCA); err != nil {
		return id, err
	}
	if err := checkChain(id, cert, opts.Now); err != nil {
		return id, err
	}
	if id.role != roleManager {
		return id, &Error{Kind: ErrNotManager, File: fileNodeCert, What: "it is a worker's certificate", Why: "only a manager holds the swarm's state"}
	}
	if id.key, err = openKey(keyPEM, opts.UnlockKey); err != nil {
		return id, err
	}
	// The key is parsed only here, and tls tells a mismatch by text alone: an
	// unparsable key is refused under the same class.
	if _, err := tls.X509KeyPair(cert, id.key.pem); err != nil {
		return id, &Error{Kind: ErrKeyMismatch, File: fileNodeKey, What: "it is not the key of " + fileNodeCert, Why: whyNodeCert, Err: err}
	}
	return id, nil
}

// checkChain proves that the certificate chains to the root CA, with swarmkit's
// own validation; an expired node certificate passes, since a restored node can
// get a new one.
func checkChain(id *identity, cert []byte, now time.Time) error {
	roots, err := certificatesDER(id.rootPEM)
	if err != nil {
		return &Error{Kind: ErrRootCA, File: fileRootCA, What: "it can't be parsed", Why: whyRootCA, Err: err}
	}
	sum := sha256.Sum256(roots[0])
	id.rootSHA256 = hex.EncodeToString(sum[:])
	root, err := ca.NewRootCA(id.rootPEM, nil, nil, ca.DefaultNodeCertExpiration, nil)
	if err != nil {
		return &Error{Kind: ErrRootCA, File: fileRootCA, What: "swarmkit does not take it as a root CA", Why: whyRootCA, Err: err}
	}
	if _, _, err := ca.ValidateCertChain(root.Pool, cert, true); err != nil {
		what := "it does not chain to " + fileRootCA
		if !now.IsZero() && now.After(id.expiry) {
			what += ", and expired at " + id.expiry.Format(time.RFC3339)
		}
		return certError(what, err)
	}
	return nil
}

// certificatesDER gives the DER bytes of each certificate in a PEM bundle, of
// which there is at least one.
func certificatesDER(bundle []byte) ([][]byte, error) {
	var ders [][]byte
	for {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			break
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(ders)+1, err)
		}
		ders = append(ders, block.Bytes)
	}
	if len(ders) == 0 {
		return nil, errors.New("it holds no PEM certificate")
	}
	return ders, nil
}

// sameCertificates tells whether two bundles hold the same certificates in the
// same order, whatever white space is between them.
func sameCertificates(a, b []byte) bool {
	return bytes.Equal(bytes.TrimSpace(ca.NormalizePEMs(a)), bytes.TrimSpace(ca.NormalizePEMs(b)))
}

func certError(what string, cause error) error {
	return &Error{Kind: ErrCertificate, File: fileNodeCert, What: what, Why: whyNodeCert, Err: cause}
}
