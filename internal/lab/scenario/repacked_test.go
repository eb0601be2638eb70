//go:build lab

package scenario

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// withoutCertificate stores a backup once more, without its node certificate, and
// gives its ID.
func (s *swarm) withoutCertificate(id string) string {
	s.t.Helper()
	return s.repacked(id, time.Second, func(dir string) error {
		return os.Remove(filepath.Join(dir, "swarm", "certificates", "swarm-node.crt"))
	})
}

// repacked opens a backup as anybody who has the identity can, changes what is in
// it, and stores it as another, which was taken later.
func (s *swarm) repacked(id string, later time.Duration, change func(dir string) error) string {
	s.t.Helper()
	repo := s.opened()
	defer repo.Close()
	b, err := repo.Get(s.ctx, id)
	must(s.t, err)
	stored := b.Stored
	b.TakenAt, b.Stored = b.TakenAt.Add(later), nil
	b.ID = repository.NewID(b.TakenAt, rand.Reader)
	w, err := repo.Create(s.ctx, b.ID)
	must(s.t, err)
	for _, o := range stored {
		name := strings.TrimSuffix(o.Name, ".zst.age")
		dir := filepath.Join(s.t.TempDir(), "opened")
		from, err := repo.OpenObject(s.ctx, id, name)
		must(s.t, err)
		_, err = repository.ExtractTar(from, dir)
		must(s.t, err)
		must(s.t, from.Close())
		if name == "swarm.tar" {
			must(s.t, change(dir))
		}
		b.Stored = append(b.Stored, s.packed(w, name, dir))
	}
	must(s.t, w.Commit(s.ctx, b))
	return b.ID
}

// opened is the repository, with the lab's identity.
func (s *swarm) opened() *repository.Repository {
	s.t.Helper()
	identity := filepath.Join(s.lab.Dir(), "identity.txt")
	recipient, err := exec.Command("age-keygen", "-y", identity).Output()
	must(s.t, err)
	repo, err := repository.Open(s.ctx, repository.Options{Name: "local", URL: "file://" + s.repository(), Cluster: s.lab.Name(),
		Recipients: []string{strings.TrimSpace(string(recipient))}, IdentityFile: identity})
	must(s.t, err)
	return repo
}

// packed stores what is in a directory as an archive.
func (s *swarm) packed(w *repository.Writer, name, dir string) state.StoredObject {
	s.t.Helper()
	list, err := os.ReadDir(dir)
	must(s.t, err)
	args := []string{"-C", dir, "--format=pax", "-c"}
	for _, e := range list {
		args = append(args, e.Name())
	}
	tar := exec.Command("tar", args...)
	out, err := tar.StdoutPipe()
	must(s.t, err)
	must(s.t, tar.Start())
	stored, err := w.Put(s.ctx, name, out, nil)
	must(s.t, err)
	must(s.t, tar.Wait())
	return stored
}
