package effects

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/state"
)

// shelf is a repository with one backup.
type shelf struct {
	backup  state.Backup
	objects map[string][]byte
}

func (s shelf) Get(context.Context, string) (state.Backup, error) { return s.backup, nil }

func (s shelf) OpenObject(_ context.Context, _, name string) (io.ReadCloser, error) {
	b, ok := s.objects[name]
	if !ok {
		return nil, errors.New("no object " + name)
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// newShelf holds a volume, told in the manifest without what is encrypted beside it.
func newShelf(t *testing.T) shelf {
	t.Helper()
	whole := []state.BackupData{{Kind: "volume", Name: "pgdata", Node: "w1", Object: "volume-pgdata.tar.zst.age", Files: 3, Bytes: 10,
		Volume: "db_pgdata", Driver: "local", Labels: map[string]string{"team": "a"}}}
	text, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: state.DataFile, Size: int64(len(text)), Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return shelf{state.Backup{ID: "b1", Stored: []state.StoredObject{{Name: "swarm.tar.zst.age"}, {Name: "volume-pgdata.tar.zst.age", SHA256: "aa"}},
		Data: []state.BackupData{whole[0].Public()}}, map[string][]byte{state.DataObject: b.Bytes()}}
}

func TestHeldData(t *testing.T) {
	want := apply.DataRestore{Kind: "volume", Name: "pgdata", Backup: "b1", ObjectSHA256: "aa"}
	s := newShelf(t)
	held, stored, err := heldData(t.Context(), s, want)
	if err != nil || stored.Name != "volume-pgdata.tar.zst.age" || held.Bytes != 10 {
		t.Fatalf("got %+v, %+v, %v", held, stored, err)
	}
	if diff := cmp.Diff(map[string]string{"team": "a"}, held.Labels); diff != "" || held.Driver != "local" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	for name, c := range map[string]struct {
		spoil func(*shelf, *apply.DataRestore)
		says  string
	}{
		"another archive": {func(_ *shelf, d *apply.DataRestore) { d.ObjectSHA256 = "bb" }, "not the one that the plan was made for"},
		"not held":        {func(_ *shelf, d *apply.DataRestore) { d.Name = "other" }, "does not hold volume.other"},
		"missing":         {func(s *shelf, _ *apply.DataRestore) { s.backup.Data[0].Missing = true }, "does not hold"},
		"damaged":         {func(s *shelf, _ *apply.DataRestore) { s.backup.Problem = &state.Problem{Text: "an object is gone"} }, "an object is gone"},
		"no list":         {func(s *shelf, _ *apply.DataRestore) { s.objects[state.DataObject] = []byte(strings.Repeat("x", 1024)) }, "can't be read"},
	} {
		s, d := newShelf(t), want
		c.spoil(&s, &d)
		if _, _, err := heldData(t.Context(), s, d); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// usedBy is an engine that tells of these containers.
type usedBy []engine.User

func (u usedBy) Users(context.Context, string, string) ([]engine.User, error) { return u, nil }

func TestUnusedNamesWhoUsesIt(t *testing.T) {
	d := apply.DataRestore{Kind: "volume", Name: "pgdata", Volume: "db_pgdata"}
	if err := unused(t.Context(), usedBy{}, d, "/data"); err != nil {
		t.Error(err)
	}
	err := unused(t.Context(), usedBy{{Name: "db_pg.1.x", Service: "db_pg"}, {Name: "odd", Service: "db_pg"}, {Name: "psql"}}, d, "/data")
	var used *apply.DataUsedError
	if !errors.As(err, &used) || strings.Join(used.Containers, ", ") != "db_pg.1.x, odd of db_pg, psql" || strings.Join(used.Strangers, ", ") != "psql" {
		t.Errorf("got %v", err)
	}
}
