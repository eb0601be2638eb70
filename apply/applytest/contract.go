package applytest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/state"
)

// Contracted is a world to hold to what package apply relies on: a healthy
// swarm with nothing under way.
type Contracted struct {
	Ports      apply.Ports
	Other      apply.Archive // the same repository as another process sees it
	Cluster    string        // the cluster block's label
	Node       string        // a follower
	Repository string
	NewID      func() string
	// Of ShapeContract: a worker that has a connection, and a replicated service.
	Worker, Service string
}

// Contract is what the ports promise to package apply. The fake passes it in
// the unit tests, and the real one on the lab: what the fake is used to show
// about cuts then holds for what is real.
func Contract(t *testing.T, c Contracted) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	number := c.locks(ctx, t)
	run := c.run(ctx, t, number)
	c.unknownRun(ctx, t, run)
	c.detachedRun(ctx, t, run)
	c.store(ctx, t, run)
	c.remove(ctx, t, run)
	c.tokens(ctx, t, run)
	c.removal(ctx, t, run)
}

// locks: one holder, numbers that rise above what the hosts have seen, and a
// lock that can be had again after its release.
func (c Contracted) locks(ctx context.Context, t *testing.T) uint64 {
	t.Helper()
	first, err := c.Ports.Archive.Lock(ctx, c.Repository, "sha256:one", 41)
	if err != nil {
		t.Fatalf("a free lock is refused: %v", err)
	}
	if first.Number() <= 41 || first.Check(ctx) != nil {
		t.Errorf("lock number %d after token 41; check: %v", first.Number(), first.Check(ctx))
	}
	var held *apply.HeldError
	if _, err := c.Other.Lock(ctx, c.Repository, "sha256:two", 41); !errors.As(err, &held) || held.Lock.Run != "sha256:one" {
		t.Errorf("a lock that is held is given, or not named: %v", err)
	}
	if err := first.Release(ctx); err != nil {
		t.Fatal(err)
	}
	second, err := c.Other.Lock(ctx, c.Repository, "sha256:two", 0)
	if err != nil {
		t.Fatalf("a lock that was given back is refused: %v", err)
	}
	if second.Number() <= first.Number() {
		t.Errorf("lock number %d follows %d", second.Number(), first.Number())
	}
	if err := second.Release(ctx); err != nil {
		t.Error(err)
	}
	return second.Number()
}

// run is a backup of the node as a look shows it now.
func (c Contracted) run(ctx context.Context, t *testing.T, token uint64) apply.Run {
	t.Helper()
	st, err := c.Ports.Observer.Observe(ctx)
	if err != nil {
		t.Fatal(err)
	}
	h := st.Host(c.Node)
	if h == nil || st.Swarm == nil || h.Looked != state.Present {
		t.Fatalf("the look shows no swarm or no %s", c.Node)
	}
	return apply.Run{ID: c.NewID(), Cluster: c.Cluster, Backup: "state", Repository: c.Repository, Node: c.Node,
		NodeID: h.Engine.NodeID, SwarmID: st.Swarm.ID, Autolocked: st.Swarm.Autolock, Token: token, Host: *h}
}

func (c Contracted) unknownRun(ctx context.Context, t *testing.T, run apply.Run) {
	t.Helper()
	if _, found, err := c.Ports.Hosts.RunStatus(ctx, run.Node, run.ID); found || err != nil {
		t.Errorf("a run that was never begun: found %v, %v", found, err)
	}
	if err := c.Ports.Hosts.RemoveRun(ctx, run.Node, run.ID, run.Token); err != nil {
		t.Errorf("removing a run that is not there: %v", err)
	}
	if _, found, err := c.Ports.Archive.Find(ctx, run.Repository, run.ID); found || err != nil {
		t.Errorf("a backup that was never made: found %v, %v", found, err)
	}
}

// detachedRun goes on by itself once it was begun, and beginning it again
// changes nothing.
func (c Contracted) detachedRun(ctx context.Context, t *testing.T, run apply.Run) {
	t.Helper()
	hosts := c.Ports.Hosts
	if err := hosts.Ready(ctx, run); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := hosts.BeginBackup(ctx, run); err != nil {
			t.Fatalf("beginning the run: %v", err)
		}
	}
	want := state.PhaseStarted
	if run.Autolocked {
		want = state.PhaseUnlocked
	}
	status := c.until(ctx, t, run, func(s state.HostRun) bool { return s.Phase == want && !s.UnitActive })
	if !status.CopyIntact || status.StoppedAt.IsZero() || status.ID != run.ID {
		t.Errorf("the run's end is %+v", status)
	}
	if err := hosts.BeginBackup(ctx, run); err != nil {
		t.Errorf("beginning a run that is done: %v", err)
	}
	for words := ""; ; {
		back, seen, err := hosts.Reachable(ctx, run.Node, run.NodeID)
		if back {
			break
		}
		words = strings.TrimSpace(words + " " + seen)
		if err != nil {
			words += " " + err.Error()
		}
		c.wait(ctx, t, "the manager to be reachable again: "+words)
	}
}

func (c Contracted) until(ctx context.Context, t *testing.T, run apply.Run, ready func(state.HostRun) bool) state.HostRun {
	t.Helper()
	for {
		status, found, err := c.Ports.Hosts.RunStatus(ctx, run.Node, run.ID)
		if err != nil || !found {
			t.Fatalf("the run's status: found %v, %v", found, err)
		}
		if status.Phase == state.PhaseFailed {
			t.Fatalf("the run failed: %s", status.Failure)
		}
		if ready(status) {
			return status
		}
		c.wait(ctx, t, "the run's end, it is "+string(status.Phase))
	}
}

func (c Contracted) wait(ctx context.Context, t *testing.T, what string) {
	t.Helper()
	select {
	case <-c.Ports.Clock.After(200 * time.Millisecond):
	case <-ctx.Done():
		t.Fatalf("gave up waiting for %s", what)
	}
}

// store: a copy becomes a backup that is found, once and again.
func (c Contracted) store(ctx context.Context, t *testing.T, run apply.Run) {
	t.Helper()
	status := c.until(ctx, t, run, func(state.HostRun) bool { return true })
	req := apply.StoreRequest{Run: run, Status: status, EngineVersion: run.Host.Engine.Version, Address: run.Host.Address}
	b, err := c.Ports.Archive.Store(ctx, req, func(apply.StoreProgress) {})
	if err != nil {
		t.Fatalf("storing the copy: %v", err)
	}
	found, ok, err := c.Ports.Archive.Find(ctx, run.Repository, run.ID)
	if err != nil || !ok || found.ID != b.ID || found.Verified == "" || found.SwarmID != run.SwarmID {
		t.Errorf("the stored backup: found %v, %v, %+v", ok, err, found)
	}
}

// remove: nothing goes without the backup that is to stay, nor one of another swarm or
// block, nor that backup itself; one that is gone already is no error. It is asked for
// under the lock.
func (c Contracted) remove(ctx context.Context, t *testing.T, run apply.Run) {
	t.Helper()
	a := c.Ports.Archive
	lock, err := a.Lock(ctx, run.Repository, "sha256:three", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := lock.Release(ctx); err != nil {
			t.Error(err)
		}
	}()
	q := apply.Removal{Repository: run.Repository, ID: c.NewID(), Backup: run.Backup, SwarmID: run.SwarmID, Keeps: run.ID}
	if removed, err := a.Remove(ctx, q); removed || err != nil {
		t.Errorf("removing a backup that is not there: %v, %v", removed, err)
	}
	var gone *apply.NotKeptError
	for what, change := range map[string]func(*apply.Removal){
		"without the one that stays":  func(q *apply.Removal) { q.Keeps = c.NewID() },
		"for one of another swarm":    func(q *apply.Removal) { q.Keeps, q.SwarmID = run.ID, "another" },
		"for one of another block":    func(q *apply.Removal) { q.Keeps, q.Backup = run.ID, "another" },
		"which is the one that stays": func(q *apply.Removal) {},
	} {
		q := q
		q.ID = run.ID
		change(&q)
		if removed, err := a.Remove(ctx, q); removed || err == nil || q.Keeps != q.ID && !errors.As(err, &gone) {
			t.Errorf("a backup is removed %s: %v, %v", what, removed, err)
		}
	}
	if err := a.Sweep(ctx, run.Repository); err != nil {
		t.Error(err)
	}
	if b, found, err := a.Find(ctx, run.Repository, run.ID); err != nil || !found || b.ID != run.ID {
		t.Errorf("the refusals removed it: %v, %v", found, err)
	}
}

// tokens: a host that has seen a run refuses an older one.
func (c Contracted) tokens(ctx context.Context, t *testing.T, run apply.Run) {
	t.Helper()
	older := run
	older.ID, older.Token = c.NewID(), run.Token-1
	if err := c.Ports.Hosts.BeginBackup(ctx, older); err == nil {
		t.Error("a run with an older token was begun")
	}
	if _, found, err := c.Ports.Hosts.RunStatus(ctx, run.Node, older.ID); found || err != nil {
		t.Errorf("a run that was refused: found %v, %v", found, err)
	}
	if c.Ports.Recoverer == nil {
		return
	}
	for what, change := range map[string]func(*apply.Operation){
		"an older token":  func(op *apply.Operation) { op.Token-- },
		"another machine": func(op *apply.Operation) { op.Host.MachineID = "another" },
	} {
		op := apply.Operation{ID: c.NewID(), Cluster: run.Cluster, Node: run.Node, Token: run.Token, Host: run.Host}
		change(&op)
		if held, err := c.Ports.Recoverer.Retain(ctx, op, "nosuchcontainer", []string{"v"}); err == nil || held != "" {
			t.Errorf("volumes are retained with %s: %q, %v", what, held, err)
		}
	}
}

func (c Contracted) removal(ctx context.Context, t *testing.T, run apply.Run) {
	t.Helper()
	for range 2 {
		if err := c.Ports.Hosts.RemoveRun(ctx, run.Node, run.ID, run.Token); err != nil {
			t.Errorf("removing the run: %v", err)
		}
	}
	if _, found, err := c.Ports.Hosts.RunStatus(ctx, run.Node, run.ID); found || err != nil {
		t.Errorf("a run that was removed: found %v, %v", found, err)
	}
}
