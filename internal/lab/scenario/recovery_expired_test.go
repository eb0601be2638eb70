//go:build lab

package scenario

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// authority is a CA that the swarm was given, so that the test has its key.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// ownCA gives the swarm a new CA whose key the test holds, and waits until every
// node has a certificate of it.
func (s *swarm) ownCA() authority {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(s.t, err)
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "swarm-ca"},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(20, 0, 0), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(s.t, err)
	cert, err := x509.ParseCertificate(der)
	must(s.t, err)
	private, err := x509.MarshalECPrivateKey(key)
	must(s.t, err)
	must(s.t, os.WriteFile(s.lab.Disk("m1", "ca.crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(s.t, os.WriteFile(s.lab.Disk("m1", "ca.key"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600))
	begin := time.Now()
	s.on("m1", "cd /var/lib/docker && timeout 120 docker swarm ca --rotate --quiet --ca-cert ca.crt --ca-key ca.key >/dev/null; code=$?; rm -f ca.crt ca.key; exit $code")
	s.t.Logf("the CA was changed in %.1f s", time.Since(begin).Seconds())
	return authority{cert, key}
}

// expires signs a node certificate again, with the same key and subject, so that
// it expired an hour ago.
func (s *swarm) expires(ca authority, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(data)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	if err := cert.CheckSignatureFrom(ca.cert); err != nil {
		return err
	}
	cert.NotBefore, cert.NotAfter = time.Now().AddDate(0, 0, -90), time.Now().Add(-time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, cert, ca.cert, cert.PublicKey, ca.key)
	if err != nil {
		return err
	}
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

func (s *swarm) nodeCertificate(node string) string {
	return s.lab.Disk(node, "swarm", "certificates", "swarm-node.crt")
}

// validCertificate says that a node's certificate is of the CA and good for a
// while.
func (s *swarm) validCertificate(ca authority, node string) {
	s.t.Helper()
	data, err := os.ReadFile(s.nodeCertificate(node))
	must(s.t, err)
	block, _ := pem.Decode(data)
	cert, err := x509.ParseCertificate(block.Bytes)
	must(s.t, err)
	if err := cert.CheckSignatureFrom(ca.cert); err != nil {
		s.t.Errorf("%s: its certificate is not of the swarm's CA: %v", node, err)
	}
	if left := time.Until(cert.NotAfter); left < 30*time.Minute {
		s.t.Errorf("%s: its certificate is valid for %s", node, left)
	}
}

// expiredRestored restores, onto new disks, a backup whose node certificate has
// expired since.
func (s *swarm) expiredRestored() {
	s.t.Helper()
	ca := s.ownCA()
	s.does("apply", "-auto-approve")
	s.allBack()
	before := s.holdings("m1")
	id := s.oneVerifiedBackup().ID
	s.repacked(id, time.Second, func(dir string) error {
		return s.expires(ca, filepath.Join(dir, "swarm", "certificates", "swarm-node.crt"))
	})
	must(s.t, os.RemoveAll(s.backupFile(id)))
	s.loses(managerNames...)
	p := s.plans("restore", "")
	r := s.does("apply", "-digest", p.Digest, "recovery.plan")
	if !strings.Contains(r.both(), "the node certificate is renewed") {
		s.t.Errorf("apply does not say that it renewed the certificate:\n%s", r.both())
	}
	s.recovered(before, "w1")
	for _, m := range managerNames {
		s.validCertificate(ca, m)
	}
	s.nextPlanBacksUp()
}

// expiredForced has the disks of two managers wiped, and the certificate of the
// third, which was off for long, expired.
func (s *swarm) expiredForced() {
	s.t.Helper()
	ca := s.ownCA()
	before := s.holdings("m1")
	s.powerCut(managerNames, func(n string) error {
		if n == "m1" {
			return s.expires(ca, s.nodeCertificate(n))
		}
		return s.newDisk(n)
	})
	s.recovers("force_new_cluster", "m1")
	s.recovered(before, "m1", "w1")
	for _, m := range managerNames {
		s.validCertificate(ca, m)
	}
	s.nextPlanBacksUp()
}

// moreExpired are the stories of certificates that only make torture tells.
func (r *stories) moreExpired() {
	r.tell("the backup's node certificate has expired", (*swarm).expiredRestored)
	r.tell("the survivor's certificate has expired", (*swarm).expiredForced)
	r.tell("every certificate has expired", (*swarm).expiredEverywhere)
	r.tell("auto-locked: every certificate has expired", (*swarm).expiredLocked)
}

// expiredLocked has the same of an auto-locked swarm, whose engines wait for the
// key, which serves nothing.
func (s *swarm) expiredLocked() {
	s.t.Helper()
	key := s.locks()
	s.expiredEverywhere()
	s.lockedAgain(key)
}

// expiredEverywhere has every manager off for longer than its certificate lasts.
func (s *swarm) expiredEverywhere() {
	s.t.Helper()
	ca := s.ownCA()
	before := s.holdings("m1")
	s.powerCut(managerNames, func(n string) error { return s.expires(ca, s.nodeCertificate(n)) })
	s.recovers("force_new_cluster", "")
	s.recovered(before, "w1")
	for _, m := range managerNames {
		s.validCertificate(ca, m)
	}
	s.nextPlanBacksUp()
}
