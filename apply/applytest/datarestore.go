package applytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/state"
)

// tasksEnd is how long the tasks of a service take to end.
const tasksEnd = 7 * time.Second

// appData is what the world has of applications: the places of their data and their
// services.
type appData struct {
	Places   map[string]*Place // by node and source: "m1 volume.pgdata"
	Apps     map[string]*App   // by service
	Damaged  string            // the name of the source whose archive is damaged
	restores int               // archives that were unpacked
}

// Place is where data are.
type Place struct {
	Holds    string // "" nothing
	Asides   []string
	Stranger string // a container that uses it, of no service
	Comes    string // the one that is started while the next archive is unpacked
	// unpacked are the restores whose archive is beside it, restored those that were
	// carried out.
	unpacked, restored []string
}

// App is a service that uses data.
type App struct {
	Uses  string // the key in Places
	Scale int    // that it has now
	// Recorded is the scale that its label says, and Waits what it waits for.
	Recorded int
	Waits    string
	endsAt   time.Time // of its tasks
}

// Restores is how many archives were unpacked.
func (w *World) Restores() int { return w.restores }

// ReadyData finds an archive that is damaged.
func (p *Process) ReadyData(_ context.Context, d apply.DataRestore) error {
	return p.w.call("ReadyData", "", func() error {
		if p.w.Damaged == d.Name {
			return errors.New("its digest does not hold")
		}
		return nil
	})
}

// Withhold scales to 0.
func (p *Process) Withhold(_ context.Context, d apply.DataRestore) error {
	w := p.w
	return p.through("Withhold", d.Shape, true, func() error {
		if d.Label == "" {
			w.violate("services are withheld, and no label says what for")
		}
		for _, name := range d.Services {
			a := w.Apps[name]
			if a == nil {
				continue
			}
			a.Waits = d.Label
			if a.Scale > 0 {
				a.Recorded, a.Scale, a.endsAt = a.Scale, 0, w.Clock.Now().Add(tasksEnd)
			}
		}
		return nil
	})
}

// Withheld tells whether their tasks have ended.
func (p *Process) Withheld(_ context.Context, d apply.DataRestore) (all bool, seen string, err error) {
	w := p.w
	err = p.through("Withheld", d.Shape, false, func() error {
		all, seen = true, "no task is left"
		for _, name := range d.Services {
			if a := w.Apps[name]; a != nil && w.up(a) {
				all, seen = false, "tasks of "+name+" have not ended"
			}
		}
		return nil
	})
	return all, seen, err
}

func (w *World) up(a *App) bool { return a.Scale > 0 || w.Clock.Now().Before(a.endsAt) }

// RestoreData puts data into a place, which must not be in use.
func (p *Process) RestoreData(_ context.Context, d apply.DataRestore, progress func(apply.StoreProgress)) (out apply.DataRestored, err error) {
	w := p.w
	err = p.atHost("RestoreData", d.Shape, func(*host) error {
		key := d.Node + " " + d.Kind + "." + d.Name
		place := w.Places[key]
		if place == nil {
			place = &Place{}
			w.Places[key] = place
		}
		if used := w.usedBy(d, key); used != nil {
			return used
		}
		out = apply.DataRestored{Place: "/data/" + d.Name, Files: 3, Bytes: 10}
		switch {
		case slices.Contains(place.restored, d.RestoreID):
			out.Before = true
		case place.Holds != "" && !d.Replace:
			out.Kept = true
		default:
			if !slices.Contains(place.unpacked, d.RestoreID) {
				place.unpacked = append(place.unpacked, d.RestoreID)
				w.restores++
			}
			if place.Comes != "" {
				place.Stranger, place.Comes = place.Comes, ""
			}
			if used := w.usedBy(d, key); used != nil {
				return used
			}
			if place.Holds != "" {
				place.Asides = append(place.Asides, place.Holds)
			}
			place.Holds = d.Backup
			place.restored = append(place.restored, d.RestoreID)
		}
		out.Asides = slices.Clone(place.Asides)
		return nil
	})
	return out, err
}

// usedBy is an error where containers use the place.
func (w *World) usedBy(d apply.DataRestore, key string) error {
	used := &apply.DataUsedError{Node: d.Node, Source: d.Kind + "." + d.Name}
	for name, a := range w.Apps {
		if a.Uses == key && w.up(a) {
			used.Containers = append(used.Containers, name+".1")
		}
	}
	if stranger := w.Places[key].Stranger; stranger != "" {
		used.Containers, used.Strangers = append(used.Containers, stranger), []string{stranger}
	}
	if len(used.Containers) == 0 {
		return nil
	}
	return used
}

// Release scales back whoever waits for the restore.
func (p *Process) Release(_ context.Context, d apply.DataRestore) error {
	w := p.w
	return p.through("Release", d.Shape, true, func() error {
		for name, a := range w.Apps {
			r, ok := state.ParsePendingRestore(a.Waits)
			if !ok || r.ID != d.RestoreID {
				continue
			}
			if place := w.Places[a.Uses]; place == nil || place.Holds == "" {
				w.violate("%s is released, and its data are not back", name)
			}
			a.Waits, a.Scale = "", a.Recorded
		}
		return nil
	})
}

// Released tells whether nobody waits any more.
func (p *Process) Released(_ context.Context, d apply.DataRestore) (all bool, seen string, err error) {
	err = p.through("Released", d.Shape, false, func() error {
		var waiting []string
		for name, a := range p.w.Apps {
			if strings.HasPrefix(a.Waits, d.RestoreID+" ") {
				waiting = append(waiting, name)
			}
		}
		all, seen = len(waiting) == 0, fmt.Sprintf("services that wait: %d", len(waiting))
		return nil
	})
	return all, seen, err
}
