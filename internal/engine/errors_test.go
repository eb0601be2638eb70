package engine

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var kinds = []error{ErrUnreachable, ErrNoLeader, ErrUndecided, ErrLocked, ErrNotManager, ErrWrongKey, ErrNotLocked,
	ErrAlreadyInSwarm, ErrNotInSwarm, ErrTokenInvalid, ErrVersionConflict, ErrNoSuchNode, ErrNoSuchService, ErrNodeUp, ErrStillManager,
	ErrQuorumAtRisk, ErrNeedsForce, ErrNotAutolocked}

// expect checks that err is of this kind and of no other; nil is of none.
func expect(t *testing.T, err, kind error) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	for _, k := range kinds {
		if errors.Is(err, k) != (k == kind) {
			t.Errorf("%v: is %q: %v", err, k, errors.Is(err, k))
		}
	}
}

func TestWhatEnginesSay(t *testing.T) {
	for _, test := range []struct {
		file   string
		status int
		kind   error
	}{
		{"error-no-leader.json", 500, ErrNoLeader},
		{"error-deadline.json", 500, ErrUndecided},
		{"error-locked.json", 503, ErrLocked},
		{"error-inactive.json", 503, ErrNotManager},
		{"error-worker.json", 503, ErrNotManager},
		{"error-preparing.json", 503, ErrUndecided},
		{"error-expired.json", 503, nil},
		{"", 500, nil},
	} {
		t.Run(test.file, func(t *testing.T) {
			a := answer{status: test.status, file: test.file}
			c := newReplay(t, "1.41", map[string]answer{"GET /swarm": a, "GET /swarm/unlockkey": a}).client()
			_, err := c.Swarm(t.Context())
			expect(t, err, test.kind)
			_, err = c.UnlockKey(t.Context())
			expect(t, err, test.kind)
		})
	}
}

func TestWhatUnlockSays(t *testing.T) {
	for _, test := range []struct {
		file   string
		status int
		kind   error
	}{
		{"error-wrong-key.json", 401, ErrWrongKey},
		{"error-not-locked.json", 409, ErrNotLocked},
		{"error-deadline.json", 500, ErrUndecided},
		{"error-inactive.json", 503, ErrNotManager},
	} {
		t.Run(test.file, func(t *testing.T) {
			answers := map[string]answer{"POST /swarm/unlock": {status: test.status, file: test.file}}
			err := newReplay(t, "1.51", answers).client().Unlock(t.Context(), []byte("SWMKEY-1-secret"))
			expect(t, err, test.kind)
			if strings.Contains(err.Error(), "SWMKEY") {
				t.Errorf("the key is in the error: %v", err)
			}
		})
	}
}

// Each listing can be the one that fails; a part of an account is none.
func TestAnyListingFails(t *testing.T) {
	for path := range healthy() {
		if !strings.HasPrefix(path, "GET /") || path == "GET /info" || path == "GET /swarm/unlockkey" {
			continue
		}
		answers := healthy()
		answers[path] = answer{status: 500, file: "error-no-leader.json"}
		s, err := newReplay(t, "1.51", answers).client().Swarm(t.Context())
		expect(t, err, ErrNoLeader)
		if s.ID != "" {
			t.Errorf("%s: a part of an account was given", path)
		}
	}
}

func TestDialFails(t *testing.T) {
	refused := errors.New("ssh gave no session")
	c, err := New(func(context.Context) (net.Conn, error) { return nil, refused })
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, err := range []error{
		c.Ping(t.Context()),
		second(c.Info(t.Context())),
		second(c.Swarm(t.Context())),
		second(c.UnlockKey(t.Context())),
		c.Unlock(t.Context(), nil),
		second(c.Init(t.Context(), InitRequest{})),
		c.Join(t.Context(), JoinRequest{}),
		c.Leave(t.Context(), true),
		c.UpdateSwarm(t.Context(), SwarmChange{}),
		c.UpdateNode(t.Context(), "n1", NodeChange{}),
		c.RemoveNode(t.Context(), "n1", true),
		second(c.Inventory(t.Context())),
		second(c.Containers(t.Context())),
	} {
		expect(t, err, ErrUnreachable)
		if !errors.Is(err, refused) {
			t.Errorf("the cause was dropped: %v", err)
		}
	}
}

func TestConnectionIsCut(t *testing.T) {
	c := newReplay(t, "1.51", map[string]answer{"GET /info": {broken: true}}).client()
	_, err := c.Info(t.Context())
	expect(t, err, ErrUnreachable)
}

func TestCallerCancels(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newReplay(t, "1.51", healthy()).client().Info(ctx)
	expect(t, err, nil)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A manager without a quorum holds its callers: the caller's time-out decides.
func TestTimeoutWhileAsked(t *testing.T) {
	held := make(chan struct{})
	t.Cleanup(func() { close(held) })
	c := newReplay(t, "1.51", map[string]answer{"GET /swarm": {wait: held}}).client()
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := c.Swarm(ctx)
	expect(t, err, ErrUndecided)
}

// A dial that hangs costs the time-out and no more.
func TestTimeoutWhileDialling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(func(ctx context.Context) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err = c.Info(ctx)
		expect(t, err, ErrUndecided)
		if d := time.Since(start); d != time.Minute {
			t.Errorf("took %v", d)
		}
	})
}

// Dials end with the client, whatever becomes of the request that asked.
func TestCloseEndsDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := make(chan net.Conn)
		d := newDialer(func(ctx context.Context) (net.Conn, error) {
			<-ctx.Done()
			return <-late, nil // comes about all the same
		})
		ended := make(chan error)
		go func() {
			_, err := d.context(context.Background(), "", "")
			ended <- err
		}()
		synctest.Wait()
		d.close()
		here, there := net.Pipe()
		late <- here
		if err := <-ended; err == nil {
			t.Error("a connection of a closed client")
		}
		if _, err := there.Read(make([]byte, 1)); err == nil {
			t.Error("the connection is open")
		}
		if _, err := d.context(context.Background(), "", ""); err == nil {
			t.Error("dialled after the end")
		}
	})
}

func TestCancelledHasNoKind(t *testing.T) {
	c, err := New(func(context.Context) (net.Conn, error) { return nil, errors.New("refused") })
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	err = c.Ping(ctx)
	expect(t, err, ErrUnreachable)
	cancel()
	expect(t, c.fail(ctx, "ping", err), nil)
}

func TestNoDialer(t *testing.T) {
	if _, err := New(nil); err == nil {
		t.Error("no error")
	}
}

func second[T any](_ T, err error) error { return err }
