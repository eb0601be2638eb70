package lab

import (
	"context"
	"crypto/sha256"
	_ "embed" // layer.sh
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

//go:embed layer.sh
var layerScript string

// recipe is raised when what is done to a layer changes outside layer.sh.
const recipe = "1"

// foundation are the machine's packages whose version a layer is built for:
// when one of them changes, the layer is built again.
var foundation = []string{"libc6", "systemd", "libsystemd0", "dbus", "openssh-client", "iptables", "libseccomp2", "sudo", "docker.io", "containerd"}

// ensureLayer finds the base layer of a suite, or builds it.
func ensureLayer(ctx context.Context, suite string, say Progress) (string, error) {
	versions, err := run(ctx, "sh", "-c", `dpkg-query -W -f '${Package} ${Version}\n' "$@" 2>/dev/null || true`, "sh")
	if err != nil {
		return "", err
	}
	return ensureLayerFor(ctx, suite, keepLines(versions, foundation), say)
}

// keepLines are the lines whose first word is one of names.
func keepLines(text string, names []string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 0 && slices.Contains(names, strings.SplitN(f[0], ":", 2)[0]) {
			kept = append(kept, strings.TrimSpace(line))
		}
	}
	slices.Sort(kept)
	return strings.Join(kept, "\n")
}

// layerDir names a layer by everything that it is made from.
func layerDir(suite, versions string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{recipe, layerScript, strings.Join(layerPackages, " "), versions, unitFiles()}, "\x00")))
	return filepath.Join(Root, fmt.Sprintf("base-%s-%x", suite, sum[:6]))
}

// ensureLayerFor builds a layer beside its place and renames it, so that a
// layer that can be seen is whole.
func ensureLayerFor(ctx context.Context, suite, versions string, say Progress) (string, error) {
	dir := layerDir(suite, versions)
	if exists(dir) {
		return dir, nil
	}
	env := []string{"PACKAGES=" + strings.Join(layerPackages, " "), "FROM=", "SUITE=", "URI=", "KEYRING="}
	if suite != Suites[0] {
		base, err := ensureLayerFor(ctx, Suites[0], versions, say)
		if err != nil {
			return "", err
		}
		uri, keyring, err := machineMirror()
		if err != nil {
			return "", err
		}
		env = append(env, "FROM="+filepath.Join(base, "root"), "SUITE="+suite, "URI="+uri, "KEYRING="+keyring)
	}
	if err := removeLeftovers(); err != nil {
		return "", err
	}
	say("building the base layer for " + suite + "; it is kept for the next lab")
	tmp, err := os.MkdirTemp(Root, ".building-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	env = append(env, "OUT="+tmp)
	args := append(append([]string{"--mount", "--propagation", "private", "env"}, env...), "sh", "-c", layerScript)
	if _, err := run(ctx, "unshare", args...); err != nil {
		return "", fmt.Errorf("the base layer for %s can't be built; the machine must reach its package mirror: %w", suite, err)
	}
	if err := finishLayer(filepath.Join(tmp, "root")); err != nil {
		return "", fmt.Errorf("finishing the base layer for %s: %w", suite, err)
	}
	for _, d := range []string{"work", "mnt"} {
		if err := os.RemoveAll(filepath.Join(tmp, d)); err != nil {
			return "", err
		}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return "", err
	}
	return dir, os.Rename(tmp, dir)
}

// removeLeftovers removes what killed builds and probes have left. The caller
// holds the lock under which layers are built.
func removeLeftovers() error {
	for _, pattern := range []string{".building-*", ".web-*"} {
		found, _ := filepath.Glob(filepath.Join(Root, pattern))
		for _, f := range found {
			if err := os.RemoveAll(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// finishLayer writes the lab's own files into a layer, masks what a node does
// not need, and hides what is the machine's own business.
func finishLayer(root string) error {
	for _, f := range layerFiles {
		full := filepath.Join(root, f.path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return err
		}
		if err := writeFile(full, []byte(f.text), f.mode); err != nil {
			return err
		}
	}
	for _, unit := range unitsToMask("/", root) {
		if err := link("/dev/null", filepath.Join(root, "etc/systemd/system", unit)); err != nil {
			return err
		}
	}
	if err := link("../requeen-lab.service", filepath.Join(root, "etc/systemd/system/sysinit.target.wants/requeen-lab.service")); err != nil {
		return err
	}
	return hide(root)
}

// link puts a symbolic link at path, whatever was there.
func link(to, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	return os.Symlink(to, path)
}

// fhs are the directories of / that a Debian system is made of; any other is
// the machine's own and does not exist on a node.
var fhs = []string{"bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "media", "mnt", "opt",
	"proc", "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var"}

// emptied are directories that exist on a node without the machine's content.
var emptied = []string{"boot", "home", "media", "mnt", "opt", "root", "srv", "usr/local", "var/log", "var/tmp",
	"var/cache", "var/backups", "var/spool", "var/lib/apt/lists", "var/lib/docker", "var/lib/containerd", "var/lib/requeen-lab"}

// hide keeps the machine's own data out of the nodes.
func hide(root string) error {
	for _, d := range emptied {
		full := filepath.Join(root, d)
		if err := os.MkdirAll(full, 0o755); err != nil {
			return err
		}
		if d == "root" {
			if err := os.Chmod(full, 0o700); err != nil {
				return err
			}
		}
		if d == "var/tmp" {
			if err := os.Chmod(full, 0o777|os.ModeSticky); err != nil {
				return err
			}
		}
		if err := syscall.Setxattr(full, "trusted.overlay.opaque", []byte("y"), 0); err != nil {
			return fmt.Errorf("hiding the machine's /%s: %w", d, err)
		}
	}
	entries, err := os.ReadDir("/")
	if err != nil {
		return err
	}
	for _, e := range entries {
		full := filepath.Join(root, e.Name())
		if slices.Contains(fhs, e.Name()) || exists(full) {
			continue
		}
		if err := syscall.Mknod(full, syscall.S_IFCHR, 0); err != nil && !errors.Is(err, fs.ErrExist) { // a whiteout
			return fmt.Errorf("hiding the machine's /%s: %w", e.Name(), err)
		}
	}
	return nil
}
