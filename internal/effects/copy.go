package effects

import (
	"context"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// Copy stores in one repository what another one holds. Where that was encrypted anew,
// it is opened with the identity of the repository that it went into, if that is at
// hand.
func (w *World) Copy(ctx context.Context, q apply.CopyRequest, progress func(apply.StoreProgress)) (b state.Backup, err error) {
	from, err := w.repository(ctx, q.From)
	if err != nil {
		return b, err
	}
	defer from.Close()
	to, err := w.repository(ctx, q.Repository)
	if err != nil {
		return b, err
	}
	defer to.Close()
	if b, err = from.Get(ctx, q.ID); err != nil {
		return b, err
	}
	if b.SwarmID != q.SwarmID || b.Backup != q.Backup {
		return b, diag.Diagnostic{Severity: diag.Error, Summary: "Backup " + q.ID + " is not the one that was to be copied",
			Detail: "It is of swarm " + b.SwarmID + ", block " + b.Backup + "; to be copied was one of swarm " + q.SwarmID + ", block " + q.Backup + ".",
			Remedy: "find out what changed the repository, then plan again"}
	}
	// This run has the lock of the repository that is written to: see Store.
	if _, err := to.Sweep(ctx, func(id string) bool { return id == q.ID }, cutFor, w.o.Now()); err != nil {
		return b, err
	}
	b, err = to.Copy(ctx, from, q.ID, func(p repository.CopyProgress) {
		progress(apply.StoreProgress{Stage: apply.StageStore, Bytes: p.Bytes, Total: p.Total})
	})
	if err == nil && b.OpenedAt.IsZero() {
		key, _ := w.o.ConfiguredKey()
		w.openBack(ctx, to, &b, []byte(key), progress)
	}
	return b, err
}
