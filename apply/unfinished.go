package apply

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"syscall"
	"time"
)

// Journal is an earlier run that was begun and not finished.
type Journal struct {
	Cluster   string
	Digest    string // "sha256:…", the plan's
	Dir       string
	BeganAt   time.Time
	PlanBytes []byte // the plan file as it was read then
	Running   bool   // a process on this machine is at work on it
}

// Unfinished lists the runs of a cluster that have a journal here and are not
// finished, the newest first.
func Unfinished(root, cluster string) ([]Journal, error) {
	dir := filepath.Join(root, cluster)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, journalError(dir, err)
	}
	var list []Journal
	for _, e := range entries {
		digest := "sha256:" + e.Name()
		if !e.IsDir() || !digestForm.MatchString(digest) {
			continue
		}
		j, open, err := readJournal(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if open {
			j.Cluster, j.Digest = cluster, digest
			list = append(list, j)
		}
	}
	sort.Slice(list, func(a, b int) bool { return list[a].BeganAt.After(list[b].BeganAt) })
	return list, nil
}

// Resume gives the newest unfinished run of a cluster. Start goes on with it
// when it is given the same plan and digest.
func Resume(root, cluster string) (j Journal, found bool, err error) {
	list, err := Unfinished(root, cluster)
	if err != nil || len(list) == 0 {
		return Journal{}, false, err
	}
	return list[0], true, nil
}

func readJournal(dir string) (j Journal, open bool, err error) {
	file, err := os.Open(filepath.Join(dir, journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return j, false, nil
	}
	if err != nil {
		return j, false, journalError(dir, err)
	}
	defer file.Close()
	p := newProgress()
	data, err := os.ReadFile(file.Name())
	if err != nil {
		return j, false, journalError(dir, err)
	}
	records, _, err := parseRecords(data)
	if err != nil {
		return j, false, journalError(dir, err)
	}
	for _, r := range records {
		p.take(r, func(int) []int { return nil })
	}
	if !p.open {
		return j, false, nil
	}
	j = Journal{Dir: dir, BeganAt: p.beganAt}
	j.Running = errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
	j.PlanBytes, err = os.ReadFile(filepath.Join(dir, planName))
	if err != nil {
		return j, false, journalError(dir, err)
	}
	return j, true, nil
}

// closeSuperseded closes the other journals of which this run has finished all
// that there was to finish: the operator planned again instead of going on.
func (r *runner) closeSuperseded() {
	mine := map[string]bool{}
	for _, s := range r.p.Steps {
		mine[s.Run] = true
		if s.Recovery != "" {
			mine[s.Recovery] = true // gone on with from what the hosts show
		}
	}
	others, err := Unfinished(r.req.JournalRoot, r.p.Cluster)
	if err != nil {
		return // they stay listed, and applying them again tells what is wrong
	}
	for _, o := range others {
		if o.Digest == r.req.Digest || o.Running {
			continue
		}
		j, err := openJournal(r.req.JournalRoot, o.Cluster, o.Digest, o.PlanBytes, func(int) []int { return nil })
		if err != nil {
			continue
		}
		over := j.progress.open
		for _, in := range j.progress.intents {
			over = over && mine[in.Run]
		}
		if over {
			_ = j.append(record{Type: recClosed, At: r.Clock.Now().UTC(), Text: "finished by the run of " + r.req.Digest})
		}
		j.close()
	}
}
