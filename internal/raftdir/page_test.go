package raftdir

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/pages"
)

// TestPageFingerprint runs the command that the page on the layout of backups
// gives for the fingerprint of an unlock key.
func TestPageFingerprint(t *testing.T) {
	page, err := pages.Read("../repository/layout.md")
	if err != nil {
		t.Fatal(err)
	}
	block, err := page.Marked("fingerprint: run by TestPageFingerprint")
	if err != nil {
		t.Fatal(err)
	}
	key := "SWMKEY-1-" + strings.Repeat("a", 43)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "unlock-key"), []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-ec", block.Text)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if have, want := strings.TrimSpace(string(out)), Fingerprint([]byte(key)); err != nil || have != want {
		t.Errorf("the page's command says %q, want %q (%v)", have, want, err)
	}
}
