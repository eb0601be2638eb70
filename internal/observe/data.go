package observe

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// volumes asks the engines for the volumes that backups take of their nodes. Where an
// engine does not run, or does not say in time, they stay unknown.
func (l *look) volumes(ctx context.Context, rows []row) {
	wanted := map[string][]string{}
	for _, b := range l.cfg.Backups {
		for _, d := range b.Data {
			if d.Kind == schema.DataVolume && !slices.Contains(wanted[d.Node], d.Volume) {
				wanted[d.Node] = append(wanted[d.Node], d.Volume)
			}
		}
	}
	var wg sync.WaitGroup
	for i := range rows {
		r := &rows[i]
		names := wanted[r.host.Name]
		if r.engine == nil || len(names) == 0 {
			continue
		}
		slices.Sort(names)
		wg.Go(func() {
			for _, name := range names {
				r.host.Volumes = append(r.host.Volumes, l.volume(ctx, r, name))
			}
		})
	}
	wg.Wait()
}

func (l *look) volume(parent context.Context, r *row, name string) state.Volume {
	ctx, cancel := bounded(parent, min(l.o.SwarmTimeout, l.o.HostTimeout))
	defer cancel()
	v, err := within(ctx, func(ctx context.Context) (state.Volume, error) { return r.engine.Volume(ctx, name) })
	if err != nil {
		return state.Volume{Name: name, Problem: &state.Problem{Text: plain(err), Remedy: "Look again once the engine answers."}}
	}
	return v
}

// concerned keeps the services that the configuration's data sources name, and those
// whose scale requeen has changed: a swarm's other services are nobody's business.
func concerned(cfg *schema.Config, all []state.ServiceScale) []state.ServiceScale {
	if all == nil {
		return nil
	}
	named := map[string]bool{}
	for _, b := range cfg.Backups {
		for _, d := range b.Data {
			for _, s := range d.Quiesce {
				named[s] = true
			}
			for _, c := range []*schema.Command{d.Before, d.After} {
				if c != nil {
					named[c.Service] = true
				}
			}
		}
	}
	list := []state.ServiceScale{}
	for _, s := range all {
		if named[s.Name] || s.Scale != "" || s.Waits != "" {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b state.ServiceScale) int { return strings.Compare(a.Name, b.Name) })
	if len(list) == 0 && len(named) == 0 {
		return nil // nobody asked
	}
	return list
}
