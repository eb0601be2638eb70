package repository

import (
	"os"
	"strings"
	"testing"
	"time"
)

var openedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestRecordOpened(t *testing.T) {
	t.Parallel()
	r, root := newRepository(t)
	if err := r.RecordOpened(ctx, testID, openedAt); err == nil {
		t.Error("a backup that is not there was opened")
	}
	if err := tryStore(ctx, r, testID, map[string][]byte{"swarm.tar": content(5, 1000)}); err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{openedAt, openedAt.Add(-time.Hour)} { // an earlier one changes nothing
		if err := r.RecordOpened(ctx, testID, at); err != nil {
			t.Fatal(err)
		}
		b, err := r.Get(ctx, testID)
		if err != nil || b.Problem != nil || !b.OpenedAt.Equal(openedAt) {
			t.Errorf("%+v, %v", b, err)
		}
	}
	path := root + "/prod/" + testID + "/manifest.json"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.Replace(string(data), `"id"`, `"from_the_future": 1, "id"`, 1)
	if err := os.WriteFile(path, []byte(newer), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.RecordOpened(ctx, testID, openedAt.Add(time.Hour)); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("a manifest of another form: %v", err)
	}
	if now, _ := os.ReadFile(path); string(now) != newer {
		t.Error("a manifest of another form was written over")
	}
}

// Whatever fails, the backup is as good as before.
func TestEveryFaultWhileRecording(t *testing.T) {
	t.Parallel()
	for _, kind := range faultKinds {
		for n := 1; ; n++ {
			r, _ := newRepository(t)
			if err := tryStore(ctx, r, testID, map[string][]byte{"swarm.tar": content(5, 1000)}); err != nil {
				t.Fatal(err)
			}
			healthy := r.store
			f := &faulty{store: r.store, fail: n, faultKind: kind}
			r.store = f
			err := r.RecordOpened(ctx, testID, openedAt)
			r.store = healthy
			if f.failed == "" {
				if err != nil || n < 4 {
					t.Errorf("after %d operations: %v", n, err)
				}
				break
			}
			if err == nil {
				t.Errorf("%s failed, and nobody noticed", f.failed)
			}
			b, err := r.Get(ctx, testID)
			if err != nil || b.Problem != nil || r.VerifyObjects(ctx, testID) != nil {
				t.Errorf("%s: the backup is %+v, %v", f.failed, b, err)
			}
			if left := keys(t, healthy, "prod/"); strings.Contains(left, "tmp") {
				t.Errorf("%s: left %s", f.failed, left)
			}
		}
	}
}
