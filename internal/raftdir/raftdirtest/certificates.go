package raftdirtest

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"path/filepath"
	"testing"
	"time"

	"github.com/cloudflare/cfssl/helpers"
	"github.com/moby/swarmkit/v2/ca"
	"github.com/moby/swarmkit/v2/manager/encryption"
)

// logKeys are the log's keys as swarmkit keeps them in the node key's headers
// (manager.RaftDEKData, whose package can't be imported without the whole
// orchestrator).
type logKeys struct{ current, pending []byte }

func (k logKeys) UnmarshalHeaders(map[string]string, ca.KEKData) (ca.PEMKeyHeaders, error) {
	return k, nil
}

func (k logKeys) MarshalHeaders(kek ca.KEKData) (map[string]string, error) {
	var encrypter encryption.Encrypter = encryption.NoopCrypter
	if kek.KEK != nil {
		encrypter, _ = encryption.Defaults(kek.KEK, false)
	}
	headers := map[string]string{}
	for name, key := range map[string][]byte{"raft-dek": k.current, "raft-dek-pending": k.pending} {
		if key == nil {
			continue
		}
		sealed, err := encryption.Encrypt(key, encrypter)
		if err != nil {
			return nil, err
		}
		headers[name] = base64.StdEncoding.EncodeToString(sealed)
	}
	return headers, nil
}

func (k logKeys) UpdateKEK(ca.KEKData, ca.KEKData) ca.PEMKeyHeaders { return k }

// writeCertificates makes a CA and writes certificates/.
func writeCertificates(t testing.TB, dir string, o Options, keys logKeys) ca.RootCA {
	t.Helper()
	root, err := ca.CreateRootCA("swarm-ca")
	check(t, err)
	if !o.CertExpiry.IsZero() {
		root = backdate(t, root, o.CertExpiry.AddDate(-1, 0, 0))
	}
	var kek []byte
	if o.UnlockKey != "" {
		kek, err = encryption.ParseHumanReadableKey(o.UnlockKey)
		check(t, err)
	}
	paths := ca.NewConfigPaths(filepath.Join(dir, "certificates"))
	check(t, ca.SaveRootCA(root, paths.RootCA))
	kw := ca.NewKeyReadWriter(paths.Node, kek, keys)
	if o.CertExpiry.IsZero() {
		_, _, err = root.IssueAndSaveNewCertificates(kw, o.NodeID, o.CertRole, o.CertCluster)
		check(t, err)
		return root
	}
	csr, key, err := ca.GenerateNewCSR()
	check(t, err)
	chain, err := root.ParseValidateAndSignCSR(csr, o.NodeID, o.CertRole, o.CertCluster)
	check(t, err)
	chain = resign(t, root, chain, func(c *x509.Certificate) {
		c.NotAfter, c.NotBefore = o.CertExpiry, o.CertExpiry.Add(-ca.DefaultNodeCertExpiration)
	})
	check(t, kw.Write(chain, key, nil))
	return root
}

// backdate gives a root CA that was valid long before now, so that it may have
// signed a certificate that has expired.
func backdate(t testing.TB, root ca.RootCA, from time.Time) ca.RootCA {
	t.Helper()
	signer, err := root.Signer()
	check(t, err)
	certPEM := resign(t, root, root.Certs, func(c *x509.Certificate) { c.NotBefore = from })
	old, err := ca.NewRootCA(certPEM, certPEM, signer.Key, ca.DefaultNodeCertExpiration, nil)
	check(t, err)
	return old
}

// resign changes a certificate and signs it again with the root's key.
func resign(t testing.TB, root ca.RootCA, certPEM []byte, change func(*x509.Certificate)) []byte {
	t.Helper()
	cert, err := helpers.ParseCertificatePEM(certPEM)
	check(t, err)
	change(cert)
	signer, err := root.Signer()
	check(t, err)
	key, parent := signingPair(t, signer)
	if cert.IsCA {
		parent = cert
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, cert.PublicKey, key)
	check(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func signingPair(t testing.TB, s *ca.LocalSigner) (crypto.Signer, *x509.Certificate) {
	t.Helper()
	key, err := helpers.ParsePrivateKeyPEM(s.Key)
	check(t, err)
	cert, err := helpers.ParseCertificatePEM(s.Cert)
	check(t, err)
	return key, cert
}
