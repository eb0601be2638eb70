package plan

import (
	"sort"
	"time"
)

// fingerprint is what the plan's decisions rest on, and no more.
func (w *world) fingerprint(p *Plan, needs []*need) Fingerprint {
	f := Fingerprint{SwarmID: w.id.id, Managers: []ManagerPrint{}, Hosts: []HostPrint{}, NewestBackups: []BackupPrint{}}
	if s := w.st.Swarm; s != nil {
		f.Epoch, f.Autolock, f.RaftIndexAtLeast = s.Epoch, s.Autolock, s.VersionIndex
		f.Managers = w.managerPrints(p)
	}
	var touched []string
	for _, s := range p.Steps {
		for _, name := range append([]string{s.Node}, s.With...) {
			if !contains(touched, name) {
				touched = append(touched, name)
			}
		}
	}
	sort.Strings(touched)
	for _, name := range touched {
		n := w.node(name)
		f.Hosts = append(f.Hosts, HostPrint{Name: name, MachineID: n.host.MachineID, HostKey: n.host.HostKey, NodeID: n.nodeID(), ClusterID: n.clusterID()})
	}
	if p.Recovery != nil {
		for _, s := range p.Recovery.Survivors {
			f.Survivors = append(f.Survivors, SurvivorPrint{Name: s.Node, Term: s.Term, Index: s.Index})
		}
	}
	for _, n := range needs {
		if n.repo == nil {
			continue
		}
		b := BackupPrint{Backup: n.block.Name, Repository: n.block.Repository, MaxAgeSeconds: int64(n.block.MaxAge / time.Second), Asked: n.asked}
		if n.newest != nil {
			b.ID, b.TakenAt = n.newest.ID, n.newest.TakenAt.UTC()
		}
		f.NewestBackups = append(f.NewestBackups, b)
	}
	return f
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
