package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// DefaultSnapshot is the name of a snapshot for which none was given.
const DefaultSnapshot = "clean"

var snapshotPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,30}$`)

// disks are what a node keeps over a boot.
var disks = []string{"upper", "docker", "containerd"}

// labFiles are what a lab keeps beside its nodes' disks, and Reset puts back.
var labFiles = []string{"repository", "unlock-key", "lab.rq.hcl"}

// Snapshot keeps the lab as it is now, under a name, for Reset: the nodes with
// their disks and what they are cut off from, the repository and the unlock
// key. The engines are stopped for it and started again, so that what is kept
// is whole. A snapshot of that name is replaced.
func (l *Lab) Snapshot(ctx context.Context, name string) error {
	if !snapshotPattern.MatchString(name) {
		return fmt.Errorf("%q can't name a snapshot: lower-case letters, digits and hyphens are meant", name)
	}
	return l.locked(ctx, func(st *state) error {
		for _, n := range st.Nodes {
			if n.Broken != "" {
				return fmt.Errorf("node %s is broken (%s), and a snapshot is a state to start from; heal it first", n.Name, n.Broken)
			}
		}
		if st.Phase != phaseReady {
			return fmt.Errorf("lab %s is not complete; finish it first: requeen lab up -name %s", l.name, l.name)
		}
		if err := parallel(st.Nodes, func(n Node) error {
			if pid, err := st.leader(n.Name); err != nil || pid == 0 {
				return err
			}
			_, err := st.exec(ctx, n.Name, stopEngine+"sync\n")
			return err
		}); err != nil {
			return err
		}
		if err := st.powerOff(ctx); err != nil {
			return err
		}
		if err := st.keep(ctx, name); err != nil {
			return errors.Join(err, st.powerOn(ctx))
		}
		return st.powerOn(ctx)
	})
}

// Reset puts the lab back to a snapshot, whatever happened to it since, and
// waits until its swarm has a leader and every node of it is ready. Nodes that
// were added since are removed.
func (l *Lab) Reset(ctx context.Context, name string) error {
	return l.locked(ctx, func(st *state) error {
		from := st.path("snapshots", name)
		data, err := os.ReadFile(filepath.Join(from, "state.json"))
		if err != nil {
			return fmt.Errorf("lab %s has no snapshot %q (%w); it has %q", l.name, name, err, st.snapshots())
		}
		var kept state
		if err := json.Unmarshal(data, &kept); err != nil {
			return err
		}
		if err := st.powerOff(ctx); err != nil {
			return err
		}
		for _, n := range st.Nodes {
			if kept.find(n.Name) == nil {
				if err := os.RemoveAll(st.nodeDir(n.Name)); err != nil {
					return err
				}
			}
		}
		st.Nodes = kept.Nodes
		if err := st.save(); err != nil {
			return err
		}
		if err := st.putBack(ctx, from); err != nil {
			return fmt.Errorf("putting snapshot %q back: %w\nRun the same command again", name, err)
		}
		if err := st.writeSSH(); err != nil {
			return err
		}
		return st.powerOn(ctx)
	})
}

// snapshots are the names of those that are whole, sorted.
func (s *state) snapshots() []string {
	found, _ := filepath.Glob(s.path("snapshots", "*", "state.json"))
	var names []string
	for _, f := range found {
		if name := filepath.Base(filepath.Dir(f)); snapshotPattern.MatchString(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// powerOff ends every node at once.
func (s *state) powerOff(ctx context.Context) error {
	return parallel(s.Nodes, func(n Node) error { return s.kill(ctx, n.Name) })
}

// keep copies disks beside the place of the snapshot, and renames: what can be
// seen is whole.
func (s *state) keep(ctx context.Context, name string) error {
	place, tmp := s.path("snapshots", name), s.path("snapshots", "."+name)
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	err := parallel(s.Nodes, func(n Node) error {
		for _, d := range disks {
			if err := copyTree(ctx, s.nodeDir(n.Name, d), filepath.Join(tmp, "nodes", n.Name, d)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range labFiles {
		if exists(s.path(f)) {
			if err := copyTree(ctx, s.path(f), filepath.Join(tmp, f)); err != nil {
				return err
			}
		}
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(tmp, "state.json"), data, 0o600); err != nil {
		return err
	}
	if err := os.RemoveAll(place); err != nil {
		return err
	}
	return os.Rename(tmp, place)
}

// putBack replaces disks and files by those of a snapshot.
func (s *state) putBack(ctx context.Context, from string) error {
	err := parallel(s.Nodes, func(n Node) error {
		for _, d := range append([]string{"work", "mnt"}, disks...) {
			if err := os.RemoveAll(s.nodeDir(n.Name, d)); err != nil {
				return err
			}
		}
		for _, d := range []string{"work", "mnt"} {
			if err := os.MkdirAll(s.nodeDir(n.Name, d), 0o755); err != nil {
				return err
			}
		}
		for _, d := range disks {
			if err := copyTree(ctx, filepath.Join(from, "nodes", n.Name, d), s.nodeDir(n.Name, d)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range labFiles {
		if err := os.RemoveAll(s.path(f)); err != nil {
			return err
		}
		if exists(filepath.Join(from, f)) {
			if err := copyTree(ctx, filepath.Join(from, f), s.path(f)); err != nil {
				return err
			}
		}
	}
	return nil
}

// copyTree copies a file or directory with all that it is, its holes as holes.
func copyTree(ctx context.Context, from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	_, err := run(ctx, "cp", "-a", "--sparse=always", "--reflink=auto", "-T", from, to)
	return err
}
