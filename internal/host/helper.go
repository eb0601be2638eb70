package host

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// helperFile is the binary that is put on hosts; its digest is taken once.
type helperFile struct {
	once    sync.Once
	path    string
	sum     string
	machine string // uname -m's word for what it runs on
	have    string // for people: "linux/amd64"
	err     error
}

func (f *helperFile) load() error {
	f.once.Do(func() {
		if f.path == "" {
			if f.path, f.err = os.Executable(); f.err != nil {
				return
			}
		}
		f.err = f.read()
	})
	return f.err
}

// machines are uname -m's words for the architectures that Go builds for.
var machines = map[elf.Machine][2]string{
	elf.EM_X86_64:  {"x86_64", "linux/amd64"},
	elf.EM_AARCH64: {"aarch64", "linux/arm64"},
	elf.EM_386:     {"i686", "linux/386"},
	elf.EM_ARM:     {"armv7l", "linux/arm"},
	elf.EM_S390:    {"s390x", "linux/s390x"},
	elf.EM_PPC64:   {"ppc64le", "linux/ppc64le"},
	elf.EM_RISCV:   {"riscv64", "linux/riscv64"},
}

func (f *helperFile) read() error {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	f.sum = hex.EncodeToString(sum.Sum(nil))
	binary, err := elf.NewFile(file)
	if err != nil {
		f.have = "another system than Linux"
		return nil
	}
	words, ok := machines[binary.Machine]
	if !ok {
		words = [2]string{"", "linux/" + binary.Machine.String()}
	}
	f.machine, f.have = words[0], words[1]
	return nil
}

// runsOn tells whether the helper is for a host with this `uname -sm`.
func (f *helperFile) runsOn(uname string) bool {
	system, machine, _ := strings.Cut(strings.TrimSpace(uname), " ")
	if system != "Linux" || f.machine == "" {
		return false
	}
	switch machine {
	case "amd64":
		machine = "x86_64"
	case "arm64":
		machine = "aarch64"
	case "i386", "i486", "i586":
		machine = "i686"
	case "armv6l", "armv8l":
		machine = "armv7l"
	}
	return machine == f.machine
}

// The exit statuses of the scripts that put the helper in place.
const (
	statusHelperThere  = 0
	statusHelperWanted = 114
	statusHelperBroken = 115
)

const helperLook = `dir=$1 sum=$2
uname -sm
f=$dir/helper-$(printf %.12s "$sum")
[ -x "$f" ] && [ "$(sha256sum <"$f")" = "$sum  -" ] || exit 114
touch "$f"`

// helperPut installs the helper from standard input, and removes those of other
// versions that no run names and nobody has asked for in a week.
const helperPut = `set -eu
umask 077
dir=$1 sum=$2
mkdir -p "$dir"; chmod 700 "$dir"
f=$dir/helper-$(printf %.12s "$sum")
tmp=$dir/.helper.$$
trap 'rm -f "$tmp"' EXIT
cat >"$tmp"
[ "$(sha256sum <"$tmp")" = "$sum  -" ] || { echo "the helper arrived incomplete" >&2; exit 1; }
chmod 700 "$tmp"
"$tmp" host-helper check >/dev/null || exit 115
mv -f "$tmp" "$f"
now=$(date +%s)
for old in "$dir"/helper-*; do
	[ -f "$old" ] && [ "$old" != "$f" ] || continue
	[ $((now - $(stat -c %Y "$old"))) -gt 604800 ] || continue
	case $(cat "$dir"/runs/*/meta 2>/dev/null) in *"${old##*/}"*) continue ;; esac
	rm -f "$old"
done`

// EnsureHelper puts the helper binary on the host, as root, unless it is there,
// and gives its path. It fails with *HelperError when the binary is for another
// system, before anything is sent.
func (h *Host) EnsureHelper(ctx context.Context) (string, error) {
	release, err := acquire(ctx, h.putting)
	if err != nil {
		return "", err
	}
	defer release()
	h.mu.Lock()
	path := h.helper
	h.mu.Unlock()
	if path != "" {
		return path, nil
	}
	f := &h.pool.helper
	if err := f.load(); err != nil {
		return "", &HelperError{Node: h.target.Name, Helper: f.path, Err: err}
	}
	dir := h.pool.stateDir()
	uname, err := h.Output(ctx, Command{Script: helperLook, Args: []string{dir, f.sum}, Root: true})
	var exit *ExitError
	missing := errors.As(err, &exit) && exit.Status == statusHelperWanted
	if err != nil && !missing {
		return "", err
	}
	uname = lastLine(uname) // after what a login shell may have printed
	if !f.runsOn(uname) {
		return "", &HelperError{Node: h.target.Name, Helper: f.path, Have: f.have, Want: uname}
	}
	if missing {
		if err := h.putHelper(ctx, dir); err != nil {
			return "", err
		}
	}
	path = fmt.Sprintf("%s/helper-%s", dir, f.sum[:12])
	h.mu.Lock()
	h.helper = path
	h.mu.Unlock()
	return path, nil
}

func (h *Host) putHelper(ctx context.Context, dir string) error {
	f := &h.pool.helper
	file, err := os.Open(f.path)
	if err != nil {
		return &HelperError{Node: h.target.Name, Helper: f.path, Err: err}
	}
	defer file.Close()
	err = h.Run(ctx, Command{Script: helperPut, Args: []string{dir, f.sum}, Stdin: file, Root: true})
	var exit *ExitError
	if errors.As(err, &exit) && exit.Status == statusHelperBroken {
		return &HelperError{Node: h.target.Name, Helper: f.path, Err: fmt.Errorf("it does not run there: %s", lastLine(exit.Stderr))}
	}
	return err
}

// stateDir is where requeen keeps what it has on a host.
func (p *Pool) stateDir() string { return orWord(p.o.testOnlyDir, "/var/lib/requeen") }

// runDir is where FIFOs are: a tmpfs, gone after a reboot.
func (p *Pool) runDir() string { return orWord(p.o.testOnlyRun, "/run/requeen") }
