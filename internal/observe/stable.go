package observe

import (
	"cmp"
	"slices"

	"github.com/requeen/requeen/internal/state"
)

// settle puts everything into its order, so that equal worlds give equal states
// byte by byte: nothing may depend on who answered first. Lists are never nil,
// since JSON tells the two apart. Backups come newest first as the repository
// lists them.
func settle(s *state.State) {
	slices.SortFunc(s.Hosts, func(a, b state.Host) int { return cmp.Compare(a.Name, b.Name) })
	for i := range s.Hosts {
		settleRuns(s.Hosts[i].Runs)
	}
	slices.SortFunc(s.Repositories, func(a, b state.Repository) int { return cmp.Compare(a.Name, b.Name) })
	for i := range s.Repositories {
		if s.Repositories[i].Backups == nil {
			s.Repositories[i].Backups = []state.Backup{}
		}
	}
	if s.Swarm != nil {
		if s.Swarm.Nodes == nil {
			s.Swarm.Nodes = []state.SwarmNode{}
		}
		slices.SortFunc(s.Swarm.Nodes, func(a, b state.SwarmNode) int { return cmp.Compare(a.ID, b.ID) })
	}
}

// settleRuns puts the oldest first: an ID begins with its time.
func settleRuns(runs []state.HostRun) {
	slices.SortFunc(runs, func(a, b state.HostRun) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Cluster, b.Cluster))
	})
}
