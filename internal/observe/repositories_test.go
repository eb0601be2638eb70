package observe

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

func withRepository(r *fakeRepository) (*schema.Config, *world) {
	cfg := &schema.Config{
		Cluster:      schema.Cluster{Name: "prod"},
		Repositories: []schema.Repository{{Name: "offsite", URL: "s3://user:hidden@bucket/p?secret=hidden#hidden"}},
	}
	return cfg, &world{repositories: map[string]*fakeRepository{"offsite": r}}
}

func TestRepositoryIsListed(t *testing.T) {
	fake := &fakeRepository{backups: []state.Backup{{ID: "b"}, {ID: "a"}}, lock: &state.Lock{Number: 7}}
	cfg, w := withRepository(fake)
	r := observe(t, cfg, w).Repository("offsite")
	if r.Looked != state.Present || r.Problem != nil || len(r.Backups) != 2 || r.Lock.Number != 7 || r.URL != "file:///shown" {
		t.Errorf("%+v", r)
	}
	if fake.closed != 1 || fake.cluster != "prod" {
		t.Errorf("closed %d times, opened for %q", fake.closed, fake.cluster)
	}
}

func TestRepositoryProblems(t *testing.T) {
	boom := diag.Diagnostic{Summary: "it can't be listed", Detail: "permission denied", Remedy: "Mend it."}
	for name, test := range map[string]struct {
		fake    *fakeRepository
		looked  state.Presence
		backups int
	}{
		"open": {&fakeRepository{open: boom}, state.Absent, 0},
		"list": {&fakeRepository{list: fails(boom), backups: make([]state.Backup, 1)}, state.Absent, 0},
		"lock": {&fakeRepository{lockErr: boom, backups: make([]state.Backup, 1)}, state.Present, 1},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, w := withRepository(test.fake)
			r := observe(t, cfg, w).Repository("offsite")
			if r.Looked != test.looked || len(r.Backups) != test.backups || r.Backups == nil {
				t.Errorf("%+v", r)
			}
			want := state.Problem{Code: diag.RepositoryUnusable, Text: "it can't be listed: permission denied", Remedy: "Mend it."}
			if r.Problem == nil || *r.Problem != want {
				t.Errorf("problem %+v", r.Problem)
			}
			if strings.Contains(r.URL, "hidden") {
				t.Errorf("a credential is in %s", r.URL)
			}
		})
	}
}

func TestRepositoryHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, w := withRepository(&fakeRepository{list: deaf(t)})
		start := time.Now()
		r := observe(t, cfg, w).Repository("offsite")
		if d := time.Since(start); d != DefaultRepositoryTimeout {
			t.Errorf("took %v", d)
		}
		if r.Looked != state.Absent || r.Problem == nil || r.Problem.Text != "no answer within 1m0s" || r.Problem.Remedy == "" {
			t.Errorf("%+v", r)
		}
	})
}

func TestRepositoryIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, w := withRepository(&fakeRepository{list: hangs})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s, err := read(ctx, cfg, w.ports(), Options{})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if r := s.Repositories[0]; r.Looked != state.Unknown || r.Problem != nil {
			t.Errorf("%+v", r)
		}
	})
}
