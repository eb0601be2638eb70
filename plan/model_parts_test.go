package plan_test

import (
	"fmt"
	"slices"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// parts is what a model has beside its managers: what a run has read of the
// applications' data, and what was restored.
type parts struct {
	read     map[string][]state.BackupData // by backup block, of this run
	made     map[string]string             // the ID of the backup that this run has made, by block
	restored map[string]int                // by restore and source
}

// begin forgets what a run that was cut had read: it is read anew.
func (m *model) begin() {
	m.read, m.made = map[string][]state.BackupData{}, map[string]string{}
	if m.restored == nil {
		m.restored = map[string]int{}
	}
}

// partStep does a step that is no manager's.
func (m *model) partStep(p *plan.Plan, s plan.Step) bool {
	switch {
	case s.Kind == plan.CopyBackup:
		m.copyStep(s)
	case s.Schedules():
		h := m.st.Host(s.Node)
		h.Schedules = slices.DeleteFunc(h.Schedules, func(have state.HostSchedule) bool {
			return have.Cluster == p.Cluster && have.Backup == s.Schedule.Backup
		})
		if s.Kind == plan.PutSchedule {
			h.Schedules = append(h.Schedules, state.HostSchedule{Cluster: p.Cluster, Backup: s.Schedule.Backup, Declared: s.Schedule.Declared, Version: "test", Timer: "active"})
		}
	case s.DataRestore != nil:
		m.restoreStep(p, s)
	case s.Data != nil:
		m.dataStep(s)
	default:
		if s.Kind == plan.Stop && len(m.atRest()) > 0 {
			panic(fmt.Sprintf("step %d stops %s while %v are at rest", s.ID, s.Node, m.atRest()))
		}
		return false
	}
	return true
}

func (m *model) copyStep(s plan.Step) {
	from, to, id := m.st.Repository(s.Copy.From), m.st.Repository(s.Repository), s.Copy.ID
	if id == "" {
		id = m.made[s.Backup]
	}
	is := func(b state.Backup) bool { return b.ID == id }
	at := slices.IndexFunc(from.Backups, is)
	if at < 0 || from.Backups[at].Problem != nil || slices.ContainsFunc(to.Backups, is) {
		panic(fmt.Sprintf("step %d copies %q from %s into %s", s.ID, id, from.Name, to.Name))
	}
	to.Backups = append([]state.Backup{from.Backups[at]}, to.Backups...)
}

// service finds a service of the swarm, nil where there is none.
func (m *model) service(name string) *state.ServiceScale {
	for i := range m.swarm.Services {
		if m.swarm.Services[i].Name == name {
			return &m.swarm.Services[i]
		}
	}
	return nil
}

func (m *model) atRest() (names []string) {
	for _, s := range m.swarm.Services {
		if s.Scale != "" {
			names = append(names, s.Name)
		}
	}
	return names
}

// rest takes the tasks of a service away, once.
func rest(s *state.ServiceScale) {
	if s.Scale != "" {
		return
	}
	s.Scale = state.ScaleValue(s.Replicas)
	if s.Mode == "global" {
		s.Scale = state.ScaleGlobal
	}
	s.Replicas = 0
}

func wake(s *state.ServiceScale) {
	if n, global, ok := state.ParseScale(s.Scale); ok && !global {
		s.Replicas = n
	}
	s.Scale, s.Waits = "", ""
}

func (m *model) dataStep(s plan.Step) {
	for _, name := range s.Data.Services {
		v := m.service(name)
		switch {
		case v == nil || v.Waits != "":
			panic(fmt.Sprintf("step %d is on %s, which is not there or waits for its data", s.ID, name))
		case s.Kind == plan.Quiesce:
			rest(v)
		case s.Kind == plan.Resume:
			wake(v)
		}
	}
	if s.Kind != plan.ArchiveData {
		return
	}
	for _, d := range s.Data.Sources {
		held := state.BackupData{Kind: d.Kind, Name: d.Name, Node: d.Node, Object: d.Kind + "-" + d.Name, Files: 1, Bytes: 1, TakenAt: m.now}
		if d.LeftOut != "" {
			held.Missing, held.Object = true, ""
		}
		for _, name := range d.Quiesce {
			if d.LeftOut == "" && m.service(name).Scale == "" {
				panic(fmt.Sprintf("step %d reads %s while %s runs", s.ID, d.ID(), name))
			}
		}
		m.read[s.Backup] = append(m.read[s.Backup], held)
	}
}

// holding gives a backup that was made the data that were read for it.
func (m *model) holding(b state.Backup) state.Backup {
	m.made[b.Backup] = b.ID
	b.Data = m.read[b.Backup]
	for _, d := range b.Data {
		if !d.Missing {
			b.Stored = append(b.Stored, state.StoredObject{Name: d.Object, Size: 1, SHA256: "aa"})
		}
	}
	return b
}

func (m *model) restoreStep(p *plan.Plan, s plan.Step) {
	r := s.DataRestore
	switch s.Kind {
	case plan.Quiesce:
		label := state.PendingRestore{ID: r.ID, Backup: r.Backup}
		for _, o := range p.Steps {
			if d := o.DataRestore; d != nil && d.ID == r.ID && o.Kind == plan.RestoreVolume {
				label.Repository, label.Replace, label.Sources = o.Repository, d.Replace, append(label.Sources, d.Kind+"."+d.Name)
			}
		}
		for _, name := range r.Services {
			if v := m.service(name); v != nil {
				rest(v)
				v.Waits = label.Value()
			}
		}
	case plan.RestoreVolume:
		for _, name := range r.Services {
			if v := m.service(name); v != nil && v.Waits == "" {
				panic(fmt.Sprintf("step %d restores %s while %s runs", s.ID, r.Name, name))
			}
		}
		m.restored[r.ID+" "+r.Kind+"."+r.Name]++
	case plan.Resume:
		for i := range m.swarm.Services {
			v := &m.swarm.Services[i]
			if waits, _ := state.ParsePendingRestore(v.Waits); waits.ID == r.ID || slices.Contains(r.Services, v.Name) {
				wake(v)
			}
		}
	}
}

// partsSettled tells what of the parts is not as it should be at the end.
func (m *model) partsSettled() string {
	if names := m.atRest(); len(names) > 0 {
		return fmt.Sprintf("%v are left at rest", names)
	}
	want := map[string]bool{}
	for _, b := range m.cfg.Backups {
		if b.Schedule != nil {
			want[b.Schedule.On+" "+b.Name] = true
		}
		for _, place := range b.Places() {
			fresh := slices.IndexFunc(m.st.Repository(place).Backups, func(have state.Backup) bool {
				return have.Backup == b.Name && have.Problem == nil && have.SwarmID == m.swarm.ID && m.now.Sub(have.TakenAt) < b.MaxAge && len(have.Data) >= len(b.Data)
			})
			if fresh < 0 {
				return "backup " + b.Name + " is not fresh in " + place
			}
		}
	}
	for _, h := range m.st.Hosts {
		for _, s := range h.Schedules {
			if s.Cluster == m.cfg.Cluster.Name && !want[h.Name+" "+s.Backup] {
				return "a schedule of " + s.Backup + " is left on " + h.Name
			}
			delete(want, h.Name+" "+s.Backup)
		}
	}
	if len(want) > 0 {
		return fmt.Sprintf("schedules are missing: %v", want)
	}
	return ""
}
