package observe

import (
	"context"
	"errors"
	"net/url"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// repository lists one repository and reads its lock, within its time-out.
func (l *look) repository(parent context.Context, d schema.Repository) state.Repository {
	r := state.Repository{Name: d.Name, URL: bare(d.URL), Backups: []state.Backup{}}
	ctx, cancel := bounded(parent, l.o.RepositoryTimeout)
	defer cancel()
	got, err := within(ctx, func(ctx context.Context) (state.Repository, error) { return l.list(ctx, d) })
	if got.URL != "" {
		r.URL = got.URL
	}
	if got.Looked == state.Present {
		r.Looked, r.Backups, r.Lock = got.Looked, got.Backups, got.Lock
	}
	switch {
	case err == nil:
	case parent.Err() != nil && r.Looked != state.Present:
		r.Looked = state.Unknown
	default:
		if r.Looked != state.Present {
			r.Looked = state.Absent
		}
		r.Problem = repositoryProblem(err)
	}
	return r
}

// list gives what it got to know even where it fails: backups whose lock can't
// be read are listed all the same.
func (l *look) list(ctx context.Context, d schema.Repository) (r state.Repository, err error) {
	repository, err := l.ports.repository(ctx, l.cfg.Cluster.Name, d)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, repository.Close()) }()
	r.URL = repository.URL()
	if r.Backups, err = repository.List(ctx); err != nil {
		return r, err
	}
	r.Looked = state.Present
	r.Lock, err = repository.ReadLock(ctx)
	return r, err
}

func repositoryProblem(err error) *state.Problem {
	text, remedy := words(err)
	if remedy == "" {
		row, _ := diag.Lookup(codeRepository)
		remedy = row.Remedy
	}
	return &state.Problem{Code: codeRepository, Text: text, Remedy: remedy}
}

// bare is a URL without what could be a credential: user, parameters, fragment.
func bare(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(a URL that can't be read)"
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment = nil, "", false, ""
	return u.String()
}
