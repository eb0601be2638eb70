//go:build lab

package scenario

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/lab"
	"github.com/requeen/requeen/internal/repository"
)

// TestPageSignature verifies a signature by hand, as the page on the layout of backups
// says. It needs no swarm; the programs that the page needs are installed.
func TestPageSignature(t *testing.T) {
	s := &swarm{t: t, ctx: context.Background(), dir: t.TempDir()}
	must(t, lab.Install(s.ctx, map[string]string{"bash": "bash", "jq": "jq", "openssl": "openssl"}, func(line string) { t.Log(line) }))
	private, public, err := repository.NewSignKey(rand.Reader)
	must(t, err)
	o := repository.Options{Name: "local", URL: "file://" + s.repository(), Cluster: "prod", Plaintext: true,
		VerifyKeys: []string{public}, SignKey: repository.SignKey{Text: func() string { return private }}}
	id := threeBackups(t, o)[0]
	r, err := repository.Open(t.Context(), o)
	must(t, err)
	defer r.Close()
	must(t, r.RecordOpened(t.Context(), id, time.Now())) // which is not signed

	script := s.pageBlock("signature")
	manifest := filepath.Join(s.repository(), "prod", id, "manifest.json")
	byHand := func() (string, error) {
		cmd := exec.CommandContext(s.ctx, "bash", "-euo", "pipefail", "-c", script)
		cmd.Dir = t.TempDir()
		cmd.Env = append(os.Environ(), "cluster="+filepath.Join(s.repository(), "prod"), "backup="+id, "verify_key="+public)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := byHand(); err != nil {
		t.Errorf("a signed manifest: %v\n%s", err, out)
	}
	text, err := os.ReadFile(manifest)
	must(t, err)
	altered := bytes.Replace(text, []byte(`"swarm1"`), []byte(`"swarm2"`), 1)
	if bytes.Equal(altered, text) {
		t.Fatalf("the manifest names no swarm1:\n%s", text)
	}
	must(t, os.WriteFile(manifest, altered, 0o600))
	if out, err := byHand(); err == nil {
		t.Errorf("an altered manifest passes for signed:\n%s", out)
	}
}
