package status_test

import (
	"testing"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/status"
)

// When a backup was last verified is told with the checks since it was made: monitoring
// asks for the age of that.
func TestLastVerified(t *testing.T) {
	var made, checked time.Time
	r := judged(t, "fresh", func(in *status.Input) {
		b := &in.State.Repositories[0].Backups[0]
		made, checked = b.VerifiedAt, b.VerifiedAt.Add(time.Hour)
		b.Checked = &state.Checks{Objects: checked.Add(time.Hour), Raft: checked}
		in.Now = in.Now.Add(24 * time.Hour)
	})
	if have := r.Backups[0].VerifiedAt; !have.Equal(checked) {
		t.Errorf("it was verified at %s, made at %s, and is said to be verified at %s", checked, made, have)
	}
}

// A time that lies in the future, which somebody's clock or nobody recorded, keeps
// nothing from being told: the backup was never opened, as far as is known.
func TestOpenedInTheFuture(t *testing.T) {
	r := judged(t, "fresh", func(in *status.Input) {
		b := &in.State.Repositories[0].Backups[0]
		b.OpenedAt = in.Now.Add(1000 * 24 * time.Hour)
		b.Checked = &state.Checks{Raft: b.OpenedAt}
	})
	b := r.Backups[0]
	if !b.OpenedAt.IsZero() || b.VerifiedAt.After(r.ObservedAt) {
		t.Errorf("opened %s, verified %s", b.OpenedAt, b.VerifiedAt)
	}
	told := false
	for _, f := range r.Findings {
		told = told || f.Code == diag.NeverOpened
	}
	if !told {
		t.Errorf("%+v", r.Findings)
	}
}
