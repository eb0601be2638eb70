package effects

import (
	"context"
	"errors"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/state"
)

// readyPlace refuses a place that can't take the data, before a service is stopped for
// them. A volume that is not there is still to be made, and has its place then; an engine
// that does not answer may be started by a step before.
func (w *World) readyPlace(ctx context.Context, d apply.DataRestore, held state.BackupData) error {
	place := d.Path
	err := w.onEngine(ctx, d.Node, func(ctx context.Context, c *engine.Client) (err error) {
		if d.Kind == state.DataVolume {
			if place, err = placeOfVolume(ctx, c, d, held); err != nil || place == "" {
				return err
			}
		}
		return noStranger(unused(ctx, c, d, place))
	})
	if d.Host.MachineID == "" || errors.Is(err, engine.ErrUnreachable) || errors.Is(err, engine.ErrUndecided) || err == nil && place == "" {
		return nil
	}
	if err != nil {
		return err
	}
	h, err := w.host(d.Node)
	if err != nil {
		return err
	}
	return h.ReadyData(ctx, host.DataRestore{ID: dataRestoreID(d), Cluster: d.Cluster, MachineID: d.Host.MachineID,
		Place: place, Fill: !d.Replace, Bytes: held.Bytes, Files: held.Files})
}

// dataRestoreID is what one source of a restore is called on its host.
func dataRestoreID(d apply.DataRestore) string { return d.RestoreID + "." + d.Kind + "." + d.Name }

// noStranger leaves of what unused tells the containers that are no service's: nothing
// takes those away, so that the services would be stopped in vain.
func noStranger(err error) error {
	var used *apply.DataUsedError
	if errors.As(err, &used) && len(used.Strangers) == 0 {
		return nil
	}
	return err
}

// volumes is what of an engine tells of a volume.
type volumes interface {
	Volume(ctx context.Context, name string) (state.Volume, error)
}

// placeOfVolume is "" where the volume is still to be made.
func placeOfVolume(ctx context.Context, c volumes, d apply.DataRestore, held state.BackupData) (string, error) {
	v, err := c.Volume(ctx, d.Volume)
	switch {
	case err != nil:
		return "", err
	case v.Looked == state.Absent:
		return "", makeable(d, held)
	case !v.Plain():
		return "", otherDriver(d, v.Driver)
	}
	return v.Mountpoint, nil
}
