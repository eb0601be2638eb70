package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// ownFiles are all that a lab writes directly into its directory, in the order
// in which they are removed: the record last but for the lock.
var ownFiles = []string{"nodes", "snapshots", "repository", "ssh", "identity.txt", "unlock-key", "lab.rq.hcl", "switch.netns", "state.json", "lock"}

// Down removes a lab, whatever state it is in. Files in its directory that no
// lab made are left, and returned. It is no error when there is no such lab.
func Down(ctx context.Context, name string, progress Progress) (left []string, err error) {
	dir, err := findDir(name)
	if err != nil {
		return nil, err
	}
	if !exists(dir) {
		return nil, removeLink(name)
	}
	if os.Geteuid() != 0 {
		return nil, errors.New("removing a lab ends processes and mounts of root's, and needs root; run it with sudo")
	}
	say := serial(progress)
	unlock, err := lockFile(ctx, filepath.Join(dir, "lock"), "the lab's lock", say)
	if err != nil {
		return nil, err
	}
	defer unlock()
	st, err := loadState(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist): // killed before the record was written, or after it was removed
		st = &state{Name: name, Dir: dir}
	case err != nil:
		return nil, err
	case st.Phase != phaseRemoving:
		st.Phase = phaseRemoving
		if err := st.save(); err != nil {
			return nil, err
		}
	}
	say("removing lab " + name)
	if err := st.down(ctx); err != nil {
		return nil, fmt.Errorf("lab %s is not removed: %w\nRun the same command again", name, err)
	}
	return st.removeFiles(ctx)
}

// down ends the lab's processes and takes its network away.
func (s *state) down(ctx context.Context) error {
	tree, err := identity()
	if err != nil {
		return err
	}
	if err := killGroup(ctx, filepath.Join(tree, cgroupName(s.Name))); err != nil {
		return err
	}
	if err := s.waitUnboot(ctx); err != nil {
		return err
	}
	if err := removeGroup(ctx, cgroupName(s.Name)); err != nil {
		return err
	}
	return s.removeNetwork(ctx)
}

// waitUnboot waits for boot scripts that a killed Up has left running, and
// that had not reached their control group yet.
func (s *state) waitUnboot(ctx context.Context) error {
	tree, err := identity()
	if err != nil {
		return err
	}
	for _, n := range s.Nodes {
		file := s.nodeDir(n.Name, "boot.lock")
		if !exists(file) {
			continue
		}
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		err = WaitFor(ctx, bootTimeout, "the boot of node "+n.Name+" to end", func() (bool, error) {
			if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
				return true, nil
			}
			return false, killGroup(ctx, filepath.Join(tree, cgroupName(s.Name)))
		})
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// removeFiles removes what the lab wrote, its record after the rest.
func (s *state) removeFiles(ctx context.Context) (left []string, err error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	if at := mountsBelow(string(mounts), s.Dir); len(at) > 0 {
		return nil, fmt.Errorf("something is mounted below the lab's directory, and removing it would remove what it holds: %s; unmount it and run this again", strings.Join(at, ", "))
	}
	for _, f := range ownFiles {
		if err := removeTree(ctx, s.path(f)); err != nil {
			return nil, err
		}
	}
	if err := os.Remove(s.Dir); errors.Is(err, syscall.ENOTEMPTY) {
		entries, err := os.ReadDir(s.Dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			left = append(left, s.path(e.Name()))
		}
	} else if err != nil {
		return nil, err
	}
	return left, removeLink(s.Name)
}

// lastWrites is how long what a killed Up has started may go on writing: it makes
// keys and files of nodes by commands that outlive it for a moment.
const lastWrites = 10 * time.Second

// removeTree removes a directory into which such a command may still write.
func removeTree(ctx context.Context, path string) error {
	return WaitFor(ctx, lastWrites, path+" to be removed", func() (bool, error) {
		err := os.RemoveAll(path)
		if errors.Is(err, syscall.ENOTEMPTY) {
			return false, nil
		}
		return err == nil, err
	})
}

// removeLink removes Root/NAME where it is the link to a lab made elsewhere.
func removeLink(name string) error {
	at := filepath.Join(Root, name)
	if _, err := os.Readlink(at); err != nil {
		return nil
	}
	return os.Remove(at)
}

// mountsBelow are the mount points in dir, from a mountinfo file.
func mountsBelow(mountinfo, dir string) []string {
	var at []string
	for line := range strings.Lines(mountinfo) {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], dir+"/") {
			at = append(at, f[4])
		}
	}
	return at
}

// Purge removes the cached base layers and images that no lab uses.
func Purge(ctx context.Context, progress Progress) error {
	if !exists(Root) {
		return nil
	}
	say := serial(progress)
	unlock, err := lockFile(ctx, filepath.Join(Root, "lock"), "the lock of all labs", say)
	if err != nil {
		return err
	}
	defer unlock()
	labs, err := allStates()
	if err != nil {
		return err
	}
	if err := removeLeftovers(); err != nil {
		return err
	}
	var cached []string
	for _, pattern := range []string{"base-*-*", "web-*.tar", ".probe-*"} {
		found, _ := filepath.Glob(filepath.Join(Root, pattern))
		cached = append(cached, found...)
	}
	for _, c := range cached {
		if slices.ContainsFunc(labs, func(st *state) bool { return st.Layer == c }) {
			say("kept, a lab uses it: " + c)
			continue
		}
		say("removing " + c)
		if err := os.RemoveAll(c); err != nil {
			return err
		}
	}
	return nil
}
