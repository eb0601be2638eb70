package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const cgroupRoot = "/sys/fs/cgroup"

// hierarchies are the control group trees of this machine: one with cgroup v2,
// one a controller with v1, both kinds on a hybrid.
func hierarchies() []string {
	if exists(filepath.Join(cgroupRoot, "cgroup.controllers")) {
		return []string{cgroupRoot}
	}
	found, _ := filepath.Glob(filepath.Join(cgroupRoot, "*", "cgroup.procs"))
	var trees []string
	for _, f := range found {
		dir := filepath.Dir(f)
		if info, err := os.Lstat(dir); err == nil && info.IsDir() { // cpu,cpuacct has links beside it
			trees = append(trees, dir)
		}
	}
	return trees
}

// identity is the tree by which a node's processes are found.
func identity() (string, error) {
	trees := hierarchies()
	for _, want := range []string{cgroupRoot, filepath.Join(cgroupRoot, "unified"), filepath.Join(cgroupRoot, "systemd")} {
		if slices.Contains(trees, want) {
			return want, nil
		}
	}
	return "", fmt.Errorf("no control group tree is mounted at %s (cgroup2, or v1 with name=systemd)", cgroupRoot)
}

func cgroupName(lab string) string { return "requeen-lab-" + lab }

// processes are the numbers of all processes in a control group and below it.
func processes(group string) ([]int, error) {
	var pids []int
	err := filepath.WalkDir(group, func(path string, d fs.DirEntry, err error) error {
		if gone(err) {
			return nil
		}
		if err != nil || d.Name() != "cgroup.procs" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil && !gone(err) && !errors.Is(err, syscall.EOPNOTSUPP) {
			return err
		}
		for _, f := range strings.Fields(string(data)) {
			if pid, err := strconv.Atoi(f); err == nil && pid > 0 {
				pids = append(pids, pid)
			}
		}
		return nil
	})
	return pids, err
}

// gone is what a control group, or a process, says that ends while it is read.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENODEV) || errors.Is(err, syscall.ESRCH)
}

// killGroup ends every process below a control group with SIGKILL.
func killGroup(ctx context.Context, group string) error {
	return WaitFor(ctx, time.Minute, "the processes in "+group+" to end", func() (bool, error) {
		pids, err := processes(group)
		if err != nil || len(pids) == 0 {
			return err == nil, err
		}
		if os.WriteFile(filepath.Join(group, "cgroup.kill"), []byte("1"), 0) == nil {
			return false, nil
		}
		for _, pid := range pids { // before Linux 5.14, and with v1
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !gone(err) {
				return false, err
			}
		}
		return false, nil
	})
}

// removeGroup removes an empty control group, with those below it, from every
// tree. The kernel lets go of a group a moment after its last process.
func removeGroup(ctx context.Context, name string) error {
	return WaitFor(ctx, time.Minute, "the kernel to let go of the control group "+name, func() (bool, error) {
		left := false
		for _, tree := range hierarchies() {
			top := filepath.Join(tree, name)
			var dirs []string
			_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
				if err == nil && d.IsDir() {
					dirs = append(dirs, path)
				}
				return nil
			})
			for _, d := range slices.Backward(dirs) {
				_ = syscall.Rmdir(d)
			}
			left = left || exists(top)
		}
		return !left, nil
	})
}

// leader is PID 1 of a node as the machine numbers it, 0 when the node does
// not run.
func (s *state) leader(node string) (int, error) {
	tree, err := identity()
	if err != nil {
		return 0, err
	}
	pids, err := processes(filepath.Join(tree, cgroupName(s.Name), node))
	if err != nil {
		return 0, fmt.Errorf("looking for the processes of node %s: %w", node, err)
	}
	for _, pid := range pids {
		if isLeader(pid) {
			return pid, nil
		}
	}
	return 0, nil
}

// isLeader says whether a process is number 1 exactly one namespace below; a
// container of the node's engine is two below.
func isLeader(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "NSpid:"); ok {
			f := strings.Fields(rest)
			return len(f) == 2 && f[1] == "1"
		}
	}
	return false
}
