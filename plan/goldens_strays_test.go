package plan_test

import (
	"time"

	"github.com/requeen/requeen/internal/state"
)

const (
	rootBefore = "0b00000000000000000000000000000000000000000000000000000000000000"
	rootAfter  = "0a00000000000000000000000000000000000000000000000000000000000000"
)

// rooted gives every host a root CA, and the swarm and what was read of logs too.
func rooted(st *state.State, root string) {
	for i := range st.Hosts {
		d := &st.Hosts[i].SwarmDir
		if d.HasRootCA {
			d.RootCASHA256 = root
		}
		if d.Raft != nil {
			d.Raft.RootCASHA256 = root
		}
	}
	if st.Swarm != nil {
		st.Swarm.RootCASHA256 = root
	}
}

// strayCases are hosts with newer state than the swarm was taken back to.
func strayCases() []golden {
	restored := func(name, about string, edit func(*state.State)) golden {
		return of(name, about, func(st *state.State) {
			st.Swarm.Epoch = "20250310T025000Z-c0ffee"
			b := aged(time.Minute)
			b.Epoch = st.Swarm.Epoch
			keep(st, b)
			rooted(st, rootBefore)
			edit(st)
		}).with(ruled(3, allRungs, ""))
	}
	stray := func(st *state.State, name string) {
		m := member(st, name)
		m.Status, m.Reachability, m.ManagerAddr = "down", "", ""
		h := st.Host(name)
		h.Engine.SwarmError, h.Engine.ControlAvailable = noLeader, false
	}
	newer := func(st *state.State, names ...string) {
		for _, n := range names {
			stray(st, n)
			st.Host(n).SwarmDir.RootCASHA256 = rootAfter
		}
	}
	return append(otherRootCases(), []golden{
		restored("stray-root", "m3 and w1 come back with a root CA that is newer than the backup: both join as new nodes.", func(st *state.State) {
			newer(st, "m3", "w1")
		}).want("fence m3, join m3, update-node m3, remove-node m3, fence w1, join w1, update-node w1, remove-node w1"),
		restored("stray-unlisted", "m3 and w1 joined after the backup, so that the swarm does not list them.", func(st *state.State) {
			stray(st, "m3")
			unlisted(st, "m3")
			unlisted(st, "w1")
		}).want("fence m3, join m3, fence w1, join w1"),
		restored("stray-locked", "m3 joined after the backup and waits for an unlock key: its state is set aside all the same.", func(st *state.State) {
			stray(st, "m3")
			locked(st, "m3")
			unlisted(st, "m3")
		}).want("fence m3, join m3"),
		restored("stray-rotating", "While the root CA is being rotated another root says nothing.", func(st *state.State) {
			st.Swarm.RootRotating = true
			newer(st, "w1")
		}).want(""),
		restored("stray-fenced", "m3, with a newer root CA, was fenced by a run that was cut.", func(st *state.State) {
			st.Host("m3").SwarmDir.Raft = log("m3", 7, 960)
			cut(st, "m3", state.RecoveryFenced)
			newer(st, "m3")
		}).want("join m3, update-node m3, remove-node m3", "RQ305"),
		restored("stray-worker-held", "w1, whose certificates serve, was fenced by a run that was cut before it had joined.", func(st *state.State) {
			cut(st, "w1", state.RecoveryFenced)
			m := member(st, "w1")
			m.Status, m.Reachability = "down", ""
		}).want("join w1"),
		restored("stray-worker-left", "w1 has joined anew, and its old entry is left.", func(st *state.State) {
			h := st.Host("w1")
			h.Engine.NodeID, h.SwarmDir.NodeID = "anew00000000000000000000", "anew00000000000000000000"
			m := *member(st, "w1")
			m.ID = "anew00000000000000000000"
			member(st, "w1").Status = "down"
			st.Swarm.Nodes = append(st.Swarm.Nodes, m)
		}).want("update-node w1, remove-node w1"),
	}...)
}

// otherRootCases are recoveries to a time before the root CA was changed.
func otherRootCases() []golden {
	g := of("restore-asked-root", "A restore of a backup from before the root CA was rotated: nobody keeps its certificates.", func(st *state.State) {
		b := aged(5 * time.Hour)
		b.Raft, b.OpenedAt = *log("m2", 7, 940), observedAt.Add(-time.Hour)
		b.Raft.RootCASHA256 = rootBefore
		keep(st, b)
		rooted(st, rootAfter)
	}).with(ruled(3, allRungs, ""))
	g.restore = "latest"
	return []golden{
		g.want("prepare m2, hold m2, fence m3, hold m1, save m1, fence m1, restore m2, start m2, init m2, join m3, update-node m3, remove-node m3, join m1, update-node m1, remove-node m1, rotate-join-tokens m2, fence w1, join w1, update-node w1, remove-node w1", "RQ209", "RQ125", "RQ134"),
		edited(alone("force-root", "The root CA was rotated while m3 was away: the furthest survivor has the new one.", forgot).with(ruled(3, forceAlone, "")), func(st *state.State) {
			st.Host("m2").SwarmDir.Raft = log("m2", 7, 970)
			st.Host("m3").SwarmDir.Raft = log("m3", 6, 930)
			rooted(st, rootAfter)
			d := &st.Host("m3").SwarmDir
			d.RootCASHA256, d.Raft.RootCASHA256 = rootBefore, rootBefore
			d = &st.Host("w1").SwarmDir
			d.RootCASHA256 = rootBefore
		}).want("hold m2, save m2, prepare m2, fence m1, fence m3, restore m2, start m2, init m2, join m1, join m3, update-node m3, remove-node m3, fence w1, join w1, update-node w1, remove-node w1, stop m1, archive m1, start m1, verify m1", "RQ120", "RQ103"),
		edited(of("restore-full", "Not a byte is free on m2's disk.", func(st *state.State) {
			lost(st)
			for _, m := range []string{"m1", "m2", "m3"} {
				wiped(st, m)
			}
			b := aged(5 * time.Hour)
			b.Raft, b.OpenedAt = *log("m2", 7, 940), observedAt.Add(-time.Hour)
			keep(st, b)
		}).with(ruled(3, allRungs, "")), func(st *state.State) {
			d := &st.Host("m2").SwarmDir
			d.FreeBytes, d.TotalBytes = 0, 10_000_000_000
		}).want("", "RQ203"),
	}
}
