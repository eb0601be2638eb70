package applytest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/state"
)

// application is a service whose scale is changed.
type application struct {
	scale, want int    // the replicas it is to have; those that it was made with
	record      string // of state.ScaleLabel
}

// AddApplication adds a service with so many replicas.
func (w *World) AddApplication(name string, replicas int) {
	if w.applications == nil {
		w.applications = map[string]*application{}
	}
	w.applications[name] = &application{scale: replicas, want: replicas}
}

// AtScale tells what is not as it was made: a service at another scale, or with a record.
func (w *World) AtScale() []string {
	var wrong []string
	for name, a := range w.applications {
		if a.scale != a.want || a.record != "" {
			wrong = append(wrong, fmt.Sprintf("%s has the scale %d, its record is %q; it is to have %d", name, a.scale, a.record, a.want))
		}
	}
	return wrong
}

// Recorded tells that every service that is at 0 has its scale in the swarm.
func (w *World) Recorded() bool {
	for _, a := range w.applications {
		if a.scale != a.want && a.record != fmt.Sprint(a.want) {
			return false
		}
	}
	return true
}

// Commands are the commands that ran, in their order.
func (w *World) Commands() []string { return w.commands }

// ResumeByHand is what a plan that finds the record does.
func (w *World) ResumeByHand() {
	for _, a := range w.applications {
		a.resume()
	}
}

func (a *application) resume() {
	if a.record != "" {
		_, _ = fmt.Sscan(a.record, &a.scale)
		a.record = ""
	}
}

func (p *Process) application(port string, s apply.Shape, changes bool, f func(*application) error) error {
	return p.through(port, s, changes, func() error {
		a := p.w.applications[s.Service]
		if a == nil {
			return &apply.NoServiceError{Service: s.Service}
		}
		return f(a)
	})
}

// QuiesceService scales to 0 and records the scale, at once.
func (p *Process) QuiesceService(_ context.Context, s apply.Shape) error {
	return p.application("QuiesceService", s, true, func(a *application) error {
		if a.record == "" {
			a.record, a.scale = fmt.Sprint(a.scale), 0
		}
		return nil
	})
}

// ServiceQuiesced tells whether it is at 0 with a record.
func (p *Process) ServiceQuiesced(_ context.Context, s apply.Shape) (is bool, seen string, err error) {
	err = p.application("ServiceQuiesced", s, false, func(a *application) error {
		is = a.record != "" && a.scale == 0
		return nil
	})
	return is, s.Service + " was looked at", err
}

// ResumeService gives the recorded scale back.
func (p *Process) ResumeService(_ context.Context, s apply.Shape) error {
	return p.application("ResumeService", s, true, func(a *application) error {
		a.resume()
		return nil
	})
}

// ServiceResumed tells whether there is no record.
func (p *Process) ServiceResumed(_ context.Context, s apply.Shape) (is bool, seen string, err error) {
	err = p.application("ServiceResumed", s, false, func(a *application) error {
		is = a.record == ""
		return nil
	})
	return is, s.Service + " was looked at", err
}

// RunDataCommand keeps the command; one that begins with "fail" fails, and so does one in
// a service that has no task.
func (p *Process) RunDataCommand(_ context.Context, c apply.DataCommand) error {
	return p.w.call("RunDataCommand", c.Node, func() error {
		if a := p.w.applications[c.Service]; a != nil && a.scale == 0 {
			return errors.New("no container of " + c.Service + " runs there")
		}
		p.w.commands = append(p.w.commands, strings.Join(c.Args, " "))
		if strings.HasPrefix(c.Args[0], "fail") {
			return errors.New("it ended with 1")
		}
		return nil
	})
}

// StoreData reads data of services that are down, or that it was not to bring to rest.
func (p *Process) StoreData(_ context.Context, r apply.DataRequest, progress func(apply.StoreProgress)) (out apply.StoredData, err error) {
	w := p.w
	err = w.call("StoreData", r.Source.Node, func() error {
		for _, name := range r.Source.Quiesced {
			if a := w.applications[name]; a == nil || a.scale != 0 {
				w.violate("%s is read while %s has tasks", r.Source.ID(), name)
			}
		}
		if r.ID == "" {
			w.violate("%s is stored under no backup's ID", r.Source.ID())
		}
		if w.Unread[r.Source.ID()] {
			return errors.New("tar: Cannot open: Input/output error")
		}
		if a := w.applications[w.ScaledUp]; a != nil {
			a.scale = 1
		}
		out.Data, out.Data.TakenAt = r.Source, w.Clock.Now().UTC()
		out.Data.Files, out.Data.Bytes = 3, 4096
		out.Object = state.StoredObject{Name: state.DataArchive(r.Source.Kind, r.Source.Name) + ".zst.age", Size: 100, SHA256: "00"}
		out.Data.Object = out.Object.Name
		return nil
	})
	if err == nil {
		progress(apply.StoreProgress{Stage: "data", Bytes: 4096})
	}
	return out, err
}
