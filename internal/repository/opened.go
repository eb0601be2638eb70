package repository

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// errOtherForm is for a manifest that this program would write otherwise.
var errOtherForm = errors.New("it was written by another version of requeen, and is left as it is")

// RecordOpened notes in a backup's manifest that it was read back and opened
// with an identity (safety rule 24). A time that is not later than the recorded
// one changes nothing, unless that is of a wrong clock.
func (r *Repository) RecordOpened(ctx context.Context, id string, at time.Time) error {
	return r.record(ctx, id, func(m *state.Backup) bool { return later(&m.OpenedAt, at) })
}

// RecordChecked notes the level that a check has proved, and with it those below;
// opened says that an identity was needed for it. Times that are not later than
// the recorded ones change nothing.
func (r *Repository) RecordChecked(ctx context.Context, id, level string, opened bool, at time.Time) error {
	return r.record(ctx, id, func(m *state.Backup) (changed bool) {
		var c state.Checks
		if m.Checked != nil {
			c = *m.Checked
		}
		levels := []string{state.LevelObjects, state.LevelRaft, state.LevelPlan}
		for i, field := range []*time.Time{&c.Objects, &c.Raft, &c.Plan} {
			if i <= slices.Index(levels, level) && later(field, at) {
				changed = true
			}
		}
		if opened && later(&m.OpenedAt, at) {
			changed = true
		}
		if c != (state.Checks{}) {
			m.Checked = &c
		}
		return changed
	})
}

// wrongClock is how far in the future a recorded time was told by a clock that was wrong:
// it gives way to one of now.
const wrongClock = 24 * time.Hour

func later(field *time.Time, at time.Time) bool {
	if !at.After(*field) && field.Sub(at) < wrongClock {
		return false
	}
	*field = at.UTC().Round(0)
	return true
}

// record changes what a manifest says of later looks at its backup; what was said
// when it was made, and its signature, stay. The manifest is replaced in one effect:
// whoever reads it meanwhile has the old or the new one, and after an error the old
// one.
func (r *Repository) record(ctx context.Context, id string, change func(*state.Backup) bool) error {
	key := r.key(id, manifestName)
	wrong := func(err error) error {
		return failed(r.url, "that backup "+id+" was opened can't be recorded", "The backup is as good as before, but status does not know that it was opened", "mend what the message names, then verify it again", err)
	}
	data, err := readAll(ctx, r.store, key, manifestLimit)
	if err != nil {
		return wrong(err)
	}
	var m state.Backup
	if err := json.Unmarshal(data, &m); err != nil {
		return wrong(err)
	}
	if same, err := encodeManifest(m); err != nil || !bytes.Equal(same, data) {
		return wrong(errors.Join(err, errOtherForm))
	}
	if !change(&m) {
		return nil
	}
	if data, err = encodeManifest(m); err != nil {
		return wrong(err)
	}
	if err := writeAll(ctx, r.store, key, data); err != nil {
		return wrong(err)
	}
	if err := r.store.settle(ctx, r.backupPrefix(id)); err != nil {
		return wrong(err)
	}
	return nil
}

// encodeManifest gives a manifest's bytes.
func encodeManifest(m state.Backup) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		return nil, err
	}
	if out.Len() > manifestLimit {
		return nil, errTooLong
	}
	return out.Bytes(), nil
}
