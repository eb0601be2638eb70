package lab

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// prepare lays out a node's own files, above the base layer. It does nothing
// to a node that has been prepared: a disk survives a boot.
func (s *state) prepare(ctx context.Context, n Node) error {
	done := s.nodeDir(n.Name, "prepared")
	if exists(done) {
		return nil
	}
	for _, d := range []string{"mnt", "upper", "work", "docker", "containerd"} {
		if err := os.MkdirAll(s.nodeDir(n.Name, d), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(s.nodeDir(n.Name, "docker"), 0o710); err != nil {
		return err
	}
	if err := s.hostKey(ctx, n); err != nil {
		return fmt.Errorf("making the host key of node %s: %w", n.Name, err)
	}
	authorized, err := os.ReadFile(s.path("ssh", "id_ed25519.pub"))
	if err != nil {
		return err
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	type file struct {
		path string
		text string
		mode os.FileMode
	}
	files := []file{
		{"etc/hostname", n.Name + "\n", 0o644},
		{"etc/machine-id", hex.EncodeToString(id) + "\n", 0o444},
		{"etc/hosts", s.hosts(), 0o644},
		{"root/.ssh/authorized_keys", string(authorized), 0o600},
		{"etc/ssh/authorized_keys.d/ops", string(authorized), 0o644},
	}
	for _, f := range files {
		if err := s.upperFile(n.Name, f.path, f.text, f.mode); err != nil {
			return err
		}
	}
	for _, d := range []string{"root", "root/.ssh"} {
		if err := os.Chmod(s.nodeDir(n.Name, "upper", d), 0o700); err != nil {
			return err
		}
	}
	return writeFile(done, nil, 0o600)
}

// upperFile writes a file of a node's root.
func (s *state) upperFile(node, path, text string, mode os.FileMode) error {
	full := s.nodeDir(node, "upper", path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	return writeFile(full, []byte(text), mode)
}

// hostKey makes the node's ssh identity here, so that known_hosts is right
// before the first connection.
func (s *state) hostKey(ctx context.Context, n Node) error {
	key := s.nodeDir(n.Name, "upper", "etc", "ssh", "ssh_host_ed25519_key")
	return makeKey(ctx, key, "root@"+n.Name)
}

// makeKey makes an ed25519 pair without a passphrase, unless it is there.
func makeKey(ctx context.Context, file, comment string) error {
	if exists(file) && exists(file+".pub") {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	for _, half := range []string{file, file + ".pub"} { // of a run that was killed
		if err := os.RemoveAll(half); err != nil {
			return err
		}
	}
	_, err := run(ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file)
	return err
}

// hosts is a node's /etc/hosts: the nodes have no name server.
func (s *state) hosts() string {
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n")
	for _, n := range s.Nodes {
		fmt.Fprintf(&b, "%s %s\n", n.Address, n.Name)
	}
	return b.String()
}
