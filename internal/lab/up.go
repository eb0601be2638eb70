package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Up makes a lab, or finishes one that was left half made. A lab that was
// complete once has its stopped nodes booted, and its swarm left as it is.
func Up(ctx context.Context, o Options, progress Progress) (*Lab, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	say := serial(progress)
	if err := ensurePackages(ctx, o.Install, say); err != nil {
		return nil, err
	}
	if err := require(ctx); err != nil {
		return nil, err
	}
	st, unlock, err := claim(ctx, o, say)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := st.up(ctx, say); err != nil {
		return nil, fmt.Errorf("%w\nThe lab is left as it is: run the same command to go on, or remove it: requeen lab down -name %s", err, st.Name)
	}
	return &Lab{name: st.Name, dir: st.Dir}, nil
}

// serial keeps calls of a progress apart.
func serial(p Progress) Progress {
	var mu sync.Mutex
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		if p != nil {
			p(line)
		}
	}
}

// claim takes the lab's lock and loads its record, or writes the first one.
func claim(ctx context.Context, o Options, say Progress) (*state, func(), error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, nil, err
	}
	if to, err := findDir(o.Name); err != nil {
		return nil, nil, err
	} else if to != o.Dir && exists(filepath.Join(Root, o.Name)) {
		return nil, nil, fmt.Errorf("lab %q is in %s already, not in %s; give this one another name: -name", o.Name, to, o.Dir)
	}
	unlock, err := lockFile(ctx, filepath.Join(o.Dir, "lock"), "the lab's lock", say)
	if err != nil {
		return nil, nil, err
	}
	st, err := loadState(o.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		st, err = firstState(ctx, o, say)
	case err == nil && st.Phase == phaseRemoving:
		err = fmt.Errorf("lab %q is being removed; finish that first: requeen lab down -name %s", o.Name, o.Name)
	case err == nil:
		err = st.same(o)
	}
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return st, unlock, nil
}

// firstState chooses the lab's network and records it, while no other lab can.
func firstState(ctx context.Context, o Options, say Progress) (*state, error) {
	if err := requireInotify(o.Managers + o.Workers); err != nil {
		return nil, err
	}
	for _, f := range ownFiles {
		if f != "lock" && exists(filepath.Join(o.Dir, f)) {
			return nil, fmt.Errorf("%s holds a file %s that no lab made; choose an empty directory: -dir", o.Dir, f)
		}
	}
	unlock, err := lockFile(ctx, filepath.Join(Root, "lock"), "the lock of all labs", say)
	if err != nil {
		return nil, err
	}
	defer unlock()
	labs, err := allStates()
	if err != nil {
		return nil, err
	}
	used, err := usedPrefixes(ctx, labs)
	if err != nil {
		return nil, err
	}
	prefix, err := pickPrefix(o.Name, used)
	if err != nil {
		return nil, err
	}
	if at := filepath.Join(Root, o.Name); at != o.Dir {
		if err := os.Symlink(o.Dir, at); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	st := newState(o, prefix)
	return st, st.save()
}

// up does what is left to do. Every part finds out by itself what that is.
func (s *state) up(ctx context.Context, say Progress) error {
	image, err := s.materials(ctx, say)
	if err != nil {
		return err
	}
	if err := s.writeKeys(ctx); err != nil {
		return err
	}
	if err := s.makeNetwork(ctx); err != nil {
		return err
	}
	start := time.Now()
	say(fmt.Sprintf("booting %d nodes in %s.0/24", len(s.Nodes), s.Prefix))
	err = bounded(bootsAtOnce, s.Nodes, func(n Node) error {
		if err := s.prepare(ctx, n); err != nil {
			return err
		}
		if err := s.boot(ctx, n); err != nil {
			return err
		}
		return s.importImage(ctx, n.Name, image)
	})
	if err != nil {
		return err
	}
	say(fmt.Sprintf("all nodes are up after %.1f s", time.Since(start).Seconds()))
	if s.Phase == phaseReady {
		return nil
	}
	if err := s.makeSwarm(ctx, say); err != nil {
		return err
	}
	if s.DrainManagers {
		if err := s.drainManagers(ctx); err != nil {
			return err
		}
	}
	if err := s.deploy(ctx); err != nil {
		return fmt.Errorf("deploying the lab's content: %w", err)
	}
	if err := s.writeConfig(ctx); err != nil {
		return err
	}
	s.Phase = phaseReady
	return s.save()
}

// materials are what labs share: the base layer and the image. They are made
// under the lock of all labs, once.
func (s *state) materials(ctx context.Context, say Progress) (image string, err error) {
	unlock, err := lockFile(ctx, filepath.Join(Root, "lock"), "the lock of all labs", say)
	if err != nil {
		return "", err
	}
	defer unlock()
	for _, suite := range s.allSuites() {
		if err := s.ensureLayerOf(ctx, suite, say); err != nil {
			return "", err
		}
	}
	return webImage(ctx, say)
}

// allSuites are the lab's suite and those of single nodes.
func (s *state) allSuites() []string {
	list := []string{s.Suite}
	for _, n := range s.Nodes {
		if !slices.Contains(list, s.suite(n)) {
			list = append(list, n.Suite)
		}
	}
	return list
}

// ensureLayerOf finds or builds the base layer of a suite, and records it. The
// caller holds the lock of all labs.
func (s *state) ensureLayerOf(ctx context.Context, suite string, say Progress) error {
	have := s.Layer
	if suite != s.Suite {
		have = s.Layers[suite]
	}
	if have != "" && exists(have) {
		return nil
	}
	if have != "" && s.Phase == phaseReady {
		return fmt.Errorf("the base layer %s of lab %s is gone, and its nodes can't boot without it; remove the lab and make it again", have, s.Name)
	}
	layer, err := ensureLayer(ctx, suite, say)
	if err != nil {
		return err
	}
	if suite == s.Suite {
		s.Layer = layer
	} else {
		if s.Layers == nil {
			s.Layers = map[string]string{}
		}
		s.Layers[suite] = layer
	}
	return s.save()
}
