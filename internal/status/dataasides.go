package status

import (
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// judgeData judges what a restore of data left beside their place. What was set aside
// may hold writes that came after the backup, and no later backup has them: whether
// they are missed, only who knows the application can tell.
func judgeData(a *Aside, cfg *schema.Config, st *state.State) {
	a.Recovery = ""
	keep := func(why, remedy string) { a.Why, a.Remedy = why, remedy }
	switch {
	case a.Cluster != "" && a.Cluster != cfg.Cluster.Name:
		keep("it is of the cluster "+a.Cluster, "Run requeen host cleanup with that cluster's configuration.")
	case a.Unfinished:
		keep("the restore of data that left it is not over on this host", "requeen plan goes on with it where services wait for the data; plan the same -restore and -only again otherwise.")
	case st.Swarm != nil && slices.ContainsFunc(st.Swarm.Services, func(s state.ServiceScale) bool { return waitsFor(s.Waits, a.Restore) }):
		keep("services still wait for the restore that left it", "requeen plan goes on with it.")
	default:
		a.Superseded = true
		keep("it is what "+a.DataOf+" held before it was restored, and no backup has what was written to it since the last one",
			"Once nothing of it is missed: requeen host cleanup -without-copy.")
	}
}

// waitsFor tells whether a service's label names the restore to which a part of it on a
// host belongs.
func waitsFor(label, restore string) bool {
	r, ok := state.ParsePendingRestore(label)
	return ok && strings.HasPrefix(restore, r.ID+".")
}
