package plan

import (
	"sort"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// fingerprint is what the plan's decisions rest on, and no more.
func (w *world) fingerprint(p *Plan, needs []*need) Fingerprint {
	f := Fingerprint{SwarmID: w.id.id, Managers: []ManagerPrint{}, Hosts: []HostPrint{}, NewestBackups: []BackupPrint{}}
	if s := w.st.Swarm; s != nil {
		f.Epoch, f.Autolock, f.RaftIndexAtLeast = s.Epoch, s.Autolock, s.VersionIndex
		f.Managers = w.managerPrints(p)
	}
	f.Hosts = w.hostPrints(p)
	f.Entries = w.entryPrints(p)
	if p.Recovery != nil {
		for _, s := range p.Recovery.Survivors {
			f.Survivors = append(f.Survivors, SurvivorPrint{Name: s.Node, Term: s.Term, Index: s.Index})
		}
	}
	for _, n := range needs {
		if n.repo == nil {
			continue
		}
		b := BackupPrint{Backup: n.block.Name, Repository: n.block.Repository, MaxAgeSeconds: int64(n.block.MaxAge / time.Second), Asked: n.asked || n.lacks}
		if n.here != nil {
			b.ID, b.TakenAt = n.here.ID, n.here.TakenAt.UTC()
		}
		f.NewestBackups = append(f.NewestBackups, b)
	}
	return f
}

// hostPrints are the machines that steps touch. One that can't be looked at is among
// them only where its node is removed for that.
func (w *world) hostPrints(p *Plan) []HostPrint {
	seen, list := map[string]bool{"": true}, []HostPrint{}
	for _, s := range p.Steps {
		for _, name := range append([]string{s.Node}, s.With...) {
			n := w.node(name)
			if seen[name] || s.Shapes() && n.host.Looked != state.Present && !w.dead(n) {
				continue
			}
			seen[name] = true
			list = append(list, HostPrint{Name: name, MachineID: n.host.MachineID, HostKey: n.host.HostKey, NodeID: n.nodeID(), ClusterID: n.clusterID(),
				Absent: s.Shapes() && w.dead(n)})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// entryPrints are the entries that steps on the shape change.
func (w *world) entryPrints(p *Plan) []EntryPrint {
	var list []EntryPrint
	at := map[string]int{}
	for _, s := range p.Steps {
		m := w.entryOf(s.Entry)
		if !s.Shapes() || m == nil {
			continue
		}
		i, known := at[m.ID]
		if !known {
			i = len(list)
			at[m.ID] = i
			list = append(list, EntryPrint{NodeID: m.ID, Name: s.Where()})
		}
		n := w.declaredAs(m.ID)
		list[i].Down = list[i].Down || s.Kind == RemoveNode && lost(m) && !(n != nil && n.back)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].NodeID < list[j].NodeID })
	return list
}

// managerPrints are the voters as they were observed, before the plan's own
// steps bring any of them back.
func (w *world) managerPrints(p *Plan) []ManagerPrint {
	list := []ManagerPrint{}
	for _, v := range w.voters {
		m := ManagerPrint{NodeID: v.id, Reachable: v.member.Reachability == "reachable"}
		if v.node != nil {
			m.Name = v.node.cfg.Name
		}
		for _, s := range p.Steps {
			if s.Kind == Stop && s.NodeID == v.id && len(w.voters) > 1 {
				m.MustNotLead = true
			}
		}
		list = append(list, m)
	}
	return list
}
