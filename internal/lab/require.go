package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const wantedRelease = "bookworm"

// probe is one thing that the machine must be able to do.
type probe struct {
	what string // the capability
	why  string // what a lab does with it
	try  func(ctx context.Context) error
}

// require lists everything that this machine lacks, not only the first thing.
// It leaves nothing behind: what it tries ends with a namespace.
func require(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("a lab makes namespaces, mounts and links, and needs root; run it with sudo")
	}
	if err := os.MkdirAll(Root, 0o755); err != nil {
		return err
	}
	var lacks []string
	for _, p := range probes() {
		if err := p.try(ctx); err != nil {
			lacks = append(lacks, fmt.Sprintf("  - %s, %s: %v", p.what, p.why, err))
		}
	}
	if len(lacks) > 0 {
		return fmt.Errorf("this machine can't hold a lab; it lacks:\n%s\nUse a virtual machine with Debian 12 and its own kernel", strings.Join(lacks, "\n"))
	}
	return nil
}

func probes() []probe {
	inNetns := func(script string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := run(ctx, "unshare", "--net", "sh", "-ec", script)
			return err
		}
	}
	return []probe{
		{"Debian 12 (bookworm)", "whose packages the nodes run", isBookworm},
		{"/usr, /etc and /var on the file system of /", "which the nodes' roots are layered on", oneFileSystem},
		{"overlay mounts on " + Root, "the nodes' roots", tryOverlay},
		{"veth pairs", "the nodes' cables", inNetns("ip link add name probe0 type veth peer name probe1")},
		{"bridges", "the nodes' switch", inNetns("ip link add name probe0 type bridge")},
		{"vxlan links", "the swarm's overlay networks", inNetns("ip link add name probe0 type vxlan id 42 dstport 4789")},
		{"process namespaces", "a PID 1 for each node", func(ctx context.Context) error {
			_, err := run(ctx, "unshare", "--pid", "--fork", "--mount", "--uts", "--ipc", "--cgroup", "true")
			return err
		}},
		{"control groups that can be made", "to find and end a node's processes", tryCgroup},
		{"5 GiB free below " + Root, "for the base layer and the nodes' disks", tryDisk},
	}
}

func isBookworm(context.Context) error {
	data, err := os.ReadFile("/etc/os-release")
	if err == nil && osField(string(data), "VERSION_CODENAME") != wantedRelease {
		err = fmt.Errorf("it is %s", osField(string(data), "PRETTY_NAME"))
	}
	return err
}

// osField is a value of an os-release(5) file.
func osField(text, key string) string {
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), key+"="); ok {
			return strings.Trim(v, `"'`)
		}
	}
	return ""
}

func oneFileSystem(context.Context) error {
	for _, d := range []string{"/usr", "/etc", "/var"} {
		if !sameDevice("/", d) {
			return fmt.Errorf("%s is another one", d)
		}
	}
	return nil
}

func tryOverlay(ctx context.Context) error {
	dir, err := os.MkdirTemp(Root, ".probe-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	_, err = run(ctx, "unshare", "--mount", "--propagation", "private", "sh", "-euc", `
mkdir "$1/mnt" "$1/layer" "$1/upper" "$1/work"
mount -t tmpfs tmpfs "$1/mnt"
mkdir "$1/mnt/empty" "$1/mnt/view" "$1/mnt/root"
mount -t overlay -o "ro,lowerdir=$1/mnt/empty:/" overlay "$1/mnt/view"
mount -t overlay -o "lowerdir=$1/layer:$1/mnt/view,upperdir=$1/upper,workdir=$1/work" overlay "$1/mnt/root"
test -e "$1/mnt/root/etc/os-release"
`, "sh", dir)
	return err
}

func tryCgroup(context.Context) error {
	tree, err := identity()
	if err != nil {
		return err
	}
	dir := filepath.Join(tree, fmt.Sprintf("requeen-probe-%d", os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return syscall.Rmdir(dir)
}

func tryDisk(context.Context) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(Root, &fs); err != nil {
		return err
	}
	if free := fs.Bavail * uint64(fs.Bsize); free < 5<<30 {
		return fmt.Errorf("only %d MiB are", free>>20)
	}
	return nil
}
