package plan_test

import (
	"time"

	"github.com/requeen/requeen/internal/state"
)

// expire has a manager's engine refuse its node certificate, which expired an hour
// ago.
func expire(st *state.State, name string) {
	h := st.Host(name)
	h.Engine.LocalNodeState, h.Engine.ControlAvailable, h.Engine.ClusterID, h.Engine.NodeID = "error", false, "", ""
	h.Engine.SwarmError = "error while loading TLS certificate in /var/lib/docker/swarm/certificates/swarm-node.crt: certificate not valid after"
	h.SwarmDir.CertificateExpiry = observedAt.Add(-time.Hour)
}

// everywhere is a swarm without an account, in which something happened to every
// manager just now.
func everywhere(name, about string, edit func(*state.State, string)) golden {
	return of(name, about, func(st *state.State) {
		lost(st)
		st.FirstLookedAt = st.ObservedAt
		for _, m := range []string{"m1", "m2", "m3"} {
			edit(st, m)
		}
	}).with(ruled(3, allRungs, aKey))
}

// lossCases are losses that are certain at once, and what they leave nothing of.
func lossCases() []golden {
	const force = "hold m1, save m1, prepare m1, fence m2, fence m3, restore m1, start m1, init m1, join m2, update-node m2, remove-node m2, join m3, update-node m3, remove-node m3, await w1"
	return []golden{
		everywhere("force-expired", "Every manager was off for longer than its certificate lasts: no start helps, and the others join anew.", expire).
			want(force, "RQ209", "RQ120"),
		everywhere("force-expired-locked", "The same of an auto-locked swarm, whose engines wait for a key that serves nothing.", func(st *state.State, name string) {
			locked(st, name)
			st.Host(name).SwarmDir.CertificateExpiry = observedAt.Add(-time.Hour)
		}).want(force, "RQ209", "RQ120"),
		everywhere("force-expired-stopped", "The same, and the engines are down: starting them would serve nothing.", func(st *state.State, name string) {
			down(st, name)
			st.Host(name).SwarmDir.CertificateExpiry = observedAt.Add(-time.Hour)
		}).want(force, "RQ209", "RQ120"),
		everywhere("expired-by-clock", "The hosts' clocks are a year ahead, so that their engines take good certificates for expired: that is no loss.", func(st *state.State, name string) {
			expire(st, name)
			h := st.Host(name)
			h.SwarmDir.CertificateExpiry, h.ClockSkew = observedAt.Add(1000*time.Hour), 365*24*time.Hour
		}).want("", "RQ209", "RQ209"),
		of("force-one-of-two", "Of two managers one comes back with a new disk: the other alone is no quorum, now as in two minutes.", func(st *state.State) {
			lost(st)
			st.FirstLookedAt = st.ObservedAt
			st.Host("m1").Engine.SwarmError = noLeader
			st.Host("m1").SwarmDir.Raft.Members = st.Host("m1").SwarmDir.Raft.Members[:2]
			wiped(st, "m2")
			st.Hosts = append(st.Hosts[:2], st.Hosts[3:]...)
		}).with(ruled(2, allRungs, "")).want("hold m1, save m1, prepare m1, fence m2, restore m1, start m1, init m1, join m2, update-node m2, remove-node m2, await w1", "RQ209", "RQ120"),
		edited(everywhere("restore-none-whole", "No disk holds state, and of the two backups one is cut and one was never verified.", wiped), func(st *state.State) {
			cut, unverified := aged(time.Hour), aged(2*time.Hour)
			cut.Problem = &state.Problem{Code: "RQ112", Text: "swarm.tar.zst.age has 92094 bytes, and was stored with 184188", Remedy: "Don't rely on this backup."}
			unverified.Verified = ""
			keep(st, cut, unverified)
		}).want("", "RQ223", "RQ209", "RQ112"),
	}
}
