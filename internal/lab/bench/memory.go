package main

import (
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// store watches the directories in memory in which requeen keeps plaintext:
// /dev/shm or /run, as no XDG_RUNTIME_DIR is given to it.
type store struct {
	before []string // of other runs
	most   int64    // bytes
}

func newStore() *store { return &store{before: privates()} }

func privates() []string {
	var list []string
	for _, dir := range []string{"/dev/shm", "/run"} {
		found, _ := filepath.Glob(filepath.Join(dir, "requeen-private-*"))
		list = append(list, found...)
	}
	return list
}

// watch samples until stop is closed.
func (s *store) watch(stop <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var sum int64
		for _, dir := range privates() {
			if !slices.Contains(s.before, dir) {
				sum += taken(dir)
			}
		}
		s.most = max(s.most, sum)
		select {
		case <-stop:
			return
		case <-tick.C:
		}
	}
}

// taken is what a directory takes: blocks, so that holes don't count.
func taken(dir string) int64 {
	var sum int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it is being removed
		}
		if info, err := d.Info(); err == nil {
			if stat, ok := info.Sys().(*syscall.Stat_t); ok {
				sum += stat.Blocks * 512
			}
		}
		return nil
	})
	return sum
}

// memoryRows are the comparisons of one size.
func (o *stops) memoryRows() []Row {
	var plans, applies, plaintexts, content []float64
	for _, b := range o.backups {
		plans = append(plans, float64(b.plan.memory))
		applies = append(applies, float64(b.apply.memory))
		plaintexts = append(plaintexts, float64(b.plaintext))
		content = append(content, float64(o.content))
	}
	return []Row{
		{What: "peak resident memory, " + o.swarm + ", " + o.size, Ours: Series{"apply", "bytes", applies}, Other: Series{"plan", "bytes", plans}},
		{What: "plaintext in memory, " + o.swarm + ", " + o.size, Ours: Series{"apply", "bytes", plaintexts},
			Other: Series{"content of the swarm directory", "bytes", content}},
	}
}
