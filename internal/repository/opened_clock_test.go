package repository

import (
	"testing"
	"time"
)

// A time that a wrong clock recorded gives way to the next that is told: else it would
// stand for years, and nobody would be told that the backup was not opened since.
func TestATimeOfAWrongClockGivesWay(t *testing.T) {
	t.Parallel()
	r, _ := newRepository(t)
	storedIn(t, r)
	for _, at := range []time.Time{openedAt.AddDate(20, 0, 0), openedAt} {
		if err := r.RecordChecked(ctx, testID, "raft", true, at); err != nil {
			t.Fatal(err)
		}
		b, err := r.Get(ctx, testID)
		if err != nil || !b.OpenedAt.Equal(at) || !b.Checked.Raft.Equal(at) || !b.Checked.Objects.Equal(at) {
			t.Errorf("at %s: opened %s, %+v (%v)", at, b.OpenedAt, b.Checked, err)
		}
	}
}
