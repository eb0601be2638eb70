package effects

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/state"
)

var _ apply.DataRestorer = (*World)(nil)

// ReadyData reads an archive to its end and keeps nothing of it, and looks whether its
// place can take it.
func (w *World) ReadyData(ctx context.Context, d apply.DataRestore) error {
	repo, err := w.repository(ctx, d.Repository)
	if err != nil {
		return err
	}
	defer repo.Close()
	held, stored, err := heldData(ctx, repo, d)
	if err != nil {
		return err
	}
	if err := w.readyPlace(ctx, d, held); err != nil {
		return err
	}
	object, err := repo.OpenObject(ctx, d.Backup, stored.Name)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, object)
	return errors.Join(err, object.Close())
}

// Withhold takes the tasks of the services away until their data are back. One that
// the swarm does not have has nothing to be kept from.
func (w *World) Withhold(ctx context.Context, d apply.DataRestore) error {
	return w.tells(ctx, d.Shape, func(ctx context.Context, c *engine.Client) error {
		for _, name := range d.Services {
			if err := c.WithholdService(ctx, name, d.Label); err != nil && !errors.Is(err, engine.ErrNoSuchService) {
				return err
			}
		}
		return nil
	})
}

// Withheld tells whether none of the services has a task that is not over.
func (w *World) Withheld(ctx context.Context, d apply.DataRestore) (all bool, seen string, err error) {
	err = w.asks(ctx, d.Shape, func(ctx context.Context, c *engine.Client) error {
		all, seen = true, "no task is left"
		for _, name := range d.Services {
			_, alive, _, _, err := c.ServiceScale(ctx, name)
			switch {
			case errors.Is(err, engine.ErrNoSuchService):
			case err != nil:
				return err
			case alive > 0:
				all, seen = false, fmt.Sprintf("tasks of %s that have not ended: %d", name, alive)
			}
		}
		return nil
	})
	return all, seen, err
}

// Release gives the services that wait for this restore their scale back.
func (w *World) Release(ctx context.Context, d apply.DataRestore) error {
	return w.tells(ctx, d.Shape, func(ctx context.Context, c *engine.Client) error {
		names, err := c.WithheldServices(ctx, d.RestoreID)
		if err != nil {
			return err
		}
		for _, name := range append(names, d.Services...) {
			if err := c.ReleaseService(ctx, name); err != nil && !errors.Is(err, engine.ErrNoSuchService) {
				return err
			}
		}
		return nil
	})
}

// Released tells whether no service waits for this restore any more.
func (w *World) Released(ctx context.Context, d apply.DataRestore) (all bool, seen string, err error) {
	err = w.asks(ctx, d.Shape, func(ctx context.Context, c *engine.Client) error {
		names, err := c.WithheldServices(ctx, d.RestoreID)
		if all, seen = len(names) == 0, "no service waits for its data any more"; !all {
			seen = fmt.Sprintf("services that still wait for their data: %d", len(names))
		}
		return err
	})
	return all, seen, err
}

// RestoreData brings one volume or directory back.
func (w *World) RestoreData(ctx context.Context, d apply.DataRestore, progress func(apply.StoreProgress)) (apply.DataRestored, error) {
	var out apply.DataRestored
	repo, err := w.repository(ctx, d.Repository)
	if err != nil {
		return out, err
	}
	defer repo.Close()
	held, stored, err := heldData(ctx, repo, d)
	if err != nil {
		return out, err
	}
	place, err := w.place(ctx, d, held)
	if err != nil {
		return out, err
	}
	h, err := w.host(d.Node)
	if err != nil {
		return out, err
	}
	done, err := h.RestoreData(ctx, host.DataRestore{ID: dataRestoreID(d), Cluster: d.Cluster, Token: d.Token, MachineID: d.Host.MachineID,
		Place: place, Fill: !d.Replace, Backup: d.Backup, SHA256: stored.SHA256, Bytes: held.Bytes, Files: held.Files,
		Unused: func(ctx context.Context) error {
			return w.onEngineFor(ctx, d.Node, forceTimeout, func(ctx context.Context, c *engine.Client) error { return unused(ctx, c, d, place) })
		}},
		func(ctx context.Context) (io.ReadCloser, error) {
			object, err := repo.OpenObject(ctx, d.Backup, stored.Name)
			if err != nil {
				return nil, err
			}
			return readCounted(object, held.Bytes, progress), nil
		})
	return apply.DataRestored{Place: place, Before: done.Before, Kept: done.Kept, Asides: done.Asides, Files: held.Files, Bytes: held.Bytes}, err
}

// dataReader is what of a repository a restore of data reads.
type dataReader interface {
	Get(ctx context.Context, id string) (state.Backup, error)
	OpenObject(ctx context.Context, id, name string) (io.ReadCloser, error)
}

// heldData is what the backup holds of the source, with all its fields.
func heldData(ctx context.Context, repo dataReader, d apply.DataRestore) (held state.BackupData, stored state.StoredObject, err error) {
	b, err := repo.Get(ctx, d.Backup)
	if err != nil {
		return held, stored, err
	}
	if b.Problem != nil {
		return held, stored, damaged(d.Backup, b.Problem.Text)
	}
	is := func(o state.BackupData) bool { return o.Kind == d.Kind && o.Name == d.Name && !o.Missing }
	at := slices.IndexFunc(b.Data, is)
	if at < 0 {
		return held, stored, damaged(d.Backup, "it does not hold "+d.Kind+"."+d.Name)
	}
	held = b.Data[at]
	in := slices.IndexFunc(b.Stored, func(o state.StoredObject) bool { return o.Name == held.Object })
	if in < 0 || d.ObjectSHA256 != "" && b.Stored[in].SHA256 != d.ObjectSHA256 {
		return held, stored, damaged(d.Backup, "the archive of "+d.Kind+"."+d.Name+" is not the one that the plan was made for")
	}
	all, err := dataFile(ctx, repo, d.Backup)
	if err != nil {
		return held, stored, err
	}
	if i := slices.IndexFunc(all, is); i >= 0 {
		held.Driver, held.Labels, held.Options = all[i].Driver, all[i].Labels, all[i].Options
	}
	return held, b.Stored[in], nil
}

// mostDataFile bounds the list of a backup's data, in bytes.
const mostDataFile = 16 << 20

// dataFile reads the list of a backup's data that is encrypted beside it.
func dataFile(ctx context.Context, repo dataReader, backup string) (list []state.BackupData, err error) {
	object, err := repo.OpenObject(ctx, backup, state.DataObject)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	for in := tar.NewReader(object); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, damaged(backup, "the list of its data can't be read: "+err.Error())
		}
		if header.Name != state.DataFile {
			continue
		}
		if err := json.NewDecoder(io.LimitReader(in, mostDataFile)).Decode(&list); err != nil {
			return nil, damaged(backup, "the list of its data can't be read: "+err.Error())
		}
	}
	_, err = io.Copy(io.Discard, object) // its digest is compared at its end
	return list, err
}

// place is the directory that the data belong into, which no container uses. A volume
// that is not there is made, as it was.
func (w *World) place(ctx context.Context, d apply.DataRestore, held state.BackupData) (place string, err error) {
	err = w.guardedEngine(ctx, d.Node, host.Guard{Cluster: d.Cluster, Token: d.Token, MachineID: d.Host.MachineID}, func(ctx context.Context, c *engine.Client) error {
		place = d.Path
		if d.Kind == state.DataVolume {
			v, err := volumeOf(ctx, c, d, held)
			if err != nil {
				return err
			}
			place = v.Mountpoint
		}
		return unused(ctx, c, d, place)
	})
	return place, err
}

// userLister is what of an engine tells who uses a place.
type userLister interface {
	Users(ctx context.Context, name, place string) ([]engine.User, error)
}

// unused is a *apply.DataUsedError where containers that are up use the place.
func unused(ctx context.Context, c userLister, d apply.DataRestore, place string) error {
	users, err := c.Users(ctx, d.Volume, place)
	if err != nil || len(users) == 0 {
		return err
	}
	used := &apply.DataUsedError{Node: d.Node, Source: d.Kind + "." + d.Name}
	for _, u := range users {
		name := u.Name
		if u.Service != "" && !strings.HasPrefix(name, u.Service+".") {
			name += " of " + u.Service
		}
		used.Containers = append(used.Containers, name)
		if u.Service == "" {
			used.Strangers = append(used.Strangers, name)
		}
	}
	return used
}

func volumeOf(ctx context.Context, c *engine.Client, d apply.DataRestore, held state.BackupData) (state.Volume, error) {
	v, err := c.Volume(ctx, d.Volume)
	if err == nil && v.Looked == state.Absent {
		if err := makeable(d, held); err != nil {
			return v, err
		}
		if err := c.CreateVolume(ctx, d.Volume, held.Labels); err != nil {
			return v, err
		}
		v, err = c.Volume(ctx, d.Volume)
	}
	switch {
	case err != nil:
		return v, err
	case v.Looked != state.Present || v.Mountpoint == "":
		return v, fmt.Errorf("the engine does not say where the volume %s is", d.Volume)
	case !v.Plain():
		return v, otherDriver(d, v.Driver)
	}
	return v, nil
}

// makeable refuses a volume that was of another driver than the host's own directories,
// or mounted something: made anew it would be another one.
func makeable(d apply.DataRestore, held state.BackupData) error {
	if held.Driver != "" && held.Driver != "local" || len(held.Options) > 0 {
		return otherDriver(d, held.Driver)
	}
	return nil
}

func otherDriver(d apply.DataRestore, driver string) error {
	return diag.Diagnostic{Severity: diag.Error, Code: diag.DataUnfit, Node: d.Node, Summary: "The volume " + d.Volume + " can't be restored",
		Detail: fmt.Sprintf("On %s it is of the driver %q, or has options that mount something: its files are not in a directory of the host's own.", d.Node, driver),
		Remedy: "Get its archive with requeen backup get, and unpack it where the volume's files are; leave it out here with -exclude=volume." + d.Name + "."}
}

// readCounted tells how much of an archive was read.
func readCounted(r io.ReadCloser, total int64, progress func(apply.StoreProgress)) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{counting(r, apply.StageStore, total, progress), r}
}
