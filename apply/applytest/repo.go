package applytest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/state"
)

type repo struct {
	backups map[string]state.Backup
	partial map[string]bool
	last    uint64 // the highest lock number ever
	lock    *lock
}

type lock struct {
	p    *Process
	r    *repo
	info state.Lock
	gone chan struct{}
}

func sorted(m map[string]*repo) []string {
	var names []string
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

func (r *repo) state(name string) state.Repository {
	s := state.Repository{Name: name, URL: "file:///backups", Looked: state.Present}
	for _, b := range r.backups {
		s.Backups = append(s.Backups, b)
	}
	sort.Slice(s.Backups, func(i, j int) bool { return s.Backups[i].ID > s.Backups[j].ID })
	if r.lock != nil {
		info := r.lock.info
		s.Lock = &info
	}
	return s
}

// Lock takes a repository's lock; that of a dead process is taken over once it
// has been dead for LockLife.
func (p *Process) Lock(_ context.Context, name, digest string, least uint64) (l apply.Lock, err error) {
	w := p.w
	err = w.call("Lock", "", func() error {
		r := w.repos[name]
		if r == nil {
			return fmt.Errorf("repository %s: no such bucket", name)
		}
		now := w.Clock.Now()
		if h := r.lock; h != nil && (!h.p.dead || now.Sub(h.p.diedAt) < w.LockLife) {
			return &apply.HeldError{Repository: name, Lock: h.info}
		}
		r.last = max(r.last, least) + 1
		gone := make(chan struct{})
		p.lost = append(p.lost, gone)
		p.taken++
		r.lock = &lock{p: p, r: r, gone: gone, info: state.Lock{Number: r.last, Owner: fmt.Sprint("process ", p.id), Run: digest, CreatedAt: now}}
		l = r.lock
		return nil
	})
	return l, err
}

func (l *lock) Number() uint64 { return l.info.Number }

func (l *lock) Lost() <-chan struct{} { return l.gone }

func (l *lock) Check(context.Context) error {
	return l.p.w.call("Check", "", func() error {
		if l.r.lock != l {
			return errors.New("the lock is another run's")
		}
		return nil
	})
}

func (l *lock) Release(context.Context) error {
	return l.p.w.call("Release", "", func() error {
		if l.r.lock == l {
			l.r.lock = nil
		}
		return nil
	})
}

// Seize lets another run hold a repository's lock.
func (w *World) Seize(name, digest string) {
	r := w.repos[name]
	r.last++
	r.lock = &lock{p: w.Process(), r: r, gone: make(chan struct{}),
		info: state.Lock{Number: r.last, Owner: "somebody else", Run: digest, CreatedAt: w.Clock.Now()}}
}

// Find finds a backup by ID.
func (p *Process) Find(_ context.Context, name, id string) (b state.Backup, found bool, err error) {
	err = p.w.call("Find", "", func() error {
		r := p.w.repos[name]
		if r == nil {
			return fmt.Errorf("repository %s: no such bucket", name)
		}
		b, found = r.backups[id]
		return nil
	})
	return b, found, err
}

// Store makes a copy a backup, in stages that can be cut.
func (p *Process) Store(ctx context.Context, q apply.StoreRequest, progress func(apply.StoreProgress)) (b state.Backup, err error) {
	w, name, id := p.w, q.Run.Repository, q.Run.ID
	stage := func(s string, f func() error) error {
		progress(apply.StoreProgress{Stage: s, Total: 10})
		w.Clock.Advance(2 * time.Second)
		if err := ctx.Err(); err != nil {
			return err
		}
		return w.call("Store."+s, q.Run.Node, f)
	}
	r := w.repos[name]
	err = errors.Join(stage("fetch", func() error {
		delete(r.partial, id)
		run, ok := w.host(q.Run.Node).runs[id]
		if !ok {
			return fmt.Errorf("%s: no copy of %s", q.Run.Node, id)
		}
		b = w.manifest(q, run)
		for _, d := range q.Data {
			b.Data = append(b.Data, d.Data.Public())
		}
		return nil
	}))
	if err == nil {
		err = stage("prove", func() error {
			if w.Faults.Unreadable || b.Raft.Index < q.MinIndex {
				return &apply.UnreadableError{Node: q.Run.Node, Err: errors.New("the log has a gap")}
			}
			return nil
		})
	}
	if err == nil {
		err = stage("store", func() error {
			if w.Faults.Full {
				return errors.New("no space left in the bucket")
			}
			r.part(id)
			return nil
		})
	}
	if err == nil {
		err = stage("manifest", func() error {
			delete(r.partial, id)
			b.UploadedAt = w.Clock.Now()
			r.backups[id] = b
			return nil
		})
	}
	return b, err
}

// Copy copies a backup in stages that can be cut.
func (p *Process) Copy(ctx context.Context, q apply.CopyRequest, progress func(apply.StoreProgress)) (b state.Backup, err error) {
	w := p.w
	stage := func(name string, f func(from, to *repo) error) error {
		progress(apply.StoreProgress{Stage: apply.StageStore, Total: 10})
		if err := ctx.Err(); err != nil {
			return err
		}
		return w.call("Copy."+name, "", func() error {
			from, to := w.repos[q.From], w.repos[q.Repository]
			if from == nil || to == nil {
				return errors.New("no such bucket")
			}
			return f(from, to)
		})
	}
	err = stage("objects", func(from, to *repo) error {
		var there bool
		if b, there = from.backups[q.ID]; !there || b.SwarmID != q.SwarmID || b.Backup != q.Backup {
			return fmt.Errorf("%s is not there", q.ID)
		}
		if to.lock == nil || to.lock.p != p {
			w.violate("%s is copied without the lock", q.ID)
		}
		to.part(q.ID)
		return nil
	})
	if err != nil {
		return b, err
	}
	return b, stage("manifest", func(_, to *repo) error {
		delete(to.partial, q.ID)
		to.backups[q.ID] = b
		return nil
	})
}

// Remove removes a backup in stages that can be cut.
func (p *Process) Remove(_ context.Context, q apply.Removal) (removed bool, err error) {
	w, r := p.w, p.w.repos[q.Repository]
	err = w.call("Remove.manifest", "", func() error {
		if k, there := r.backups[q.Keeps]; !there || k.Problem != nil || k.Verified == "" || len(k.Suspect) > 0 || k.SwarmID != q.SwarmID || k.Backup != q.Backup {
			return &apply.NotKeptError{ID: q.Keeps, Reason: "it is not there"}
		}
		if r.lock == nil || r.lock.p != p {
			w.violate("%s is removed without the lock", q.ID)
		}
		b, there := r.backups[q.ID]
		switch {
		case q.ID == q.Keeps || there && (b.SwarmID != q.SwarmID || b.Backup != q.Backup):
			return fmt.Errorf("%s is not to be removed", q.ID)
		case there:
			removed = true
			r.part(q.ID)
			delete(r.backups, q.ID)
		}
		return nil
	})
	if err != nil {
		return removed, err
	}
	return removed, w.call("Remove.objects", "", func() error {
		delete(r.partial, q.ID)
		return nil
	})
}

// Sweep removes what has no manifest.
func (p *Process) Sweep(_ context.Context, name string) error {
	return p.w.call("Sweep", "", func() error {
		p.w.repos[name].partial = nil
		return nil
	})
}

// part marks an ID as one that objects are there of, without a manifest.
func (r *repo) part(id string) {
	if r.partial == nil {
		r.partial = map[string]bool{}
	}
	r.partial[id] = true
}

// DropBackup takes a backup out of a repository, as somebody else would.
func (w *World) DropBackup(name, id string) { delete(w.repos[name].backups, id) }

// Backups are the IDs of what a repository holds, sorted.
func (w *World) Backups(name string) []string { return slices.Sorted(maps.Keys(w.repos[name].backups)) }

func (w *World) manifest(q apply.StoreRequest, r *run) state.Backup {
	now := w.Clock.Now()
	return state.Backup{ID: q.Run.ID, FormatVersion: 1, ToolVersion: q.ToolVersion, Kind: state.KindRegular, Cluster: q.Run.Cluster,
		Backup: q.Run.Backup, SwarmID: q.Run.SwarmID, Node: q.Run.Node, NodeID: q.Run.NodeID, Address: q.Address,
		EngineVersion: q.EngineVersion, Consistency: "stopped", TakenAt: q.Status.StoppedAt, Verified: "raft", VerifiedAt: now,
		Autolocked: w.Autolock, Raft: state.RaftReport{Index: r.index, Commit: r.index, ClusterID: SwarmID, NodeID: q.Run.NodeID},
		Stored: []state.StoredObject{{Name: "swarm.tar.zst.age", Size: 10}}}
}

// AddBackup puts a verified backup of the label into a repository, as somebody
// else would.
func (w *World) AddBackup(name, label, id string) {
	w.repos[name].backups[id] = state.Backup{ID: id, FormatVersion: 1, Kind: state.KindRegular, Cluster: ClusterName, Backup: label,
		SwarmID: SwarmID, Node: "m3", NodeID: "node3", Consistency: "stopped", TakenAt: w.Clock.Now(), UploadedAt: w.Clock.Now(),
		Verified: "raft", VerifiedAt: w.Clock.Now(), Autolocked: w.Autolock, Raft: state.RaftReport{Index: w.Index},
		Stored: []state.StoredObject{{Name: "swarm.tar.zst.age", Size: 10}}}
}

// FreeDeadLocks removes the locks of dead processes, as time does.
func (w *World) FreeDeadLocks() {
	for _, r := range w.repos {
		if r.lock != nil && r.lock.p.dead {
			r.lock = nil
		}
	}
}

// SetLockNumber lets a repository have given out lock numbers up to n.
func (w *World) SetLockNumber(name string, n uint64) { w.repos[name].last = n }
