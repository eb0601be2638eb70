package plan_test

import (
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
)

const noLeader = "rpc error: code = Unknown desc = The swarm does not have a leader."

// ruled is config(managers) with a recovery block, and more in the cluster block.
func ruled(managers int, recovery, cluster string) string {
	text := config(managers, localRepository, stateBackup, "recovery {\n"+recovery+"}\n")
	return strings.Replace(text, "cluster \"prod\" {\n", "cluster \"prod\" {\n"+cluster, 1)
}

const (
	allRungs   = "  allow = [\"start\", \"unlock\", \"force_new_cluster\", \"restore\"]\n"
	forceAlone = "  allow = [\"start\", \"unlock\", \"force_new_cluster\"]\n"
	aKey       = "  unlock_key = \"SWMKEY-1-golden\"\n"
)

// lost takes the swarm's account away, long ago, and reads what logs there are.
func lost(st *state.State) {
	silent(st, "no manager answers")
	st.FirstLookedAt = st.ObservedAt.Add(-3 * time.Minute)
	for i := range st.Hosts {
		h := &st.Hosts[i]
		h.ContainersLooked = state.Present
		if h.SwarmDir.HasRaft {
			h.SwarmDir.Raft = log(h.Name, 7, 960)
			h.SwarmDir.Store = &state.Store{Nodes: map[string]state.StoreNode{}, Services: []state.StoreService{}, Tasks: []state.Task{}}
		}
	}
}

// log is what a survey reads of a manager of three.
func log(name string, term, index uint64) *state.RaftReport {
	r := &state.RaftReport{Term: term, Index: index, Commit: index, RaftID: "f" + name, NodeID: idOf(name), Role: "manager", ClusterID: swarmID, VotedTerm: term,
		ClusterCreated: observedAt.Add(-1000 * time.Hour), CertExpiry: observedAt.Add(1000 * time.Hour)}
	for _, m := range []string{"m1", "m2", "m3"} {
		r.Members = append(r.Members, state.Member{RaftID: "f" + m, NodeID: idOf(m), Addr: "10.0.0.1" + m[1:] + ":2377"})
		r.EverSeen = append(r.EverSeen, "f"+m)
		r.ManagerNodes = append(r.ManagerNodes, idOf(m))
	}
	return r
}

// alone leaves m1 without a leader, and the others as edit has them.
func alone(name, about string, others func(*state.State, string)) golden {
	return of(name, about, func(st *state.State) {
		lost(st)
		st.Host("m1").Engine.SwarmError = noLeader
		others(st, "m2")
		others(st, "m3")
	})
}

// forgot is an engine that knows no swarm, with its state on the disk and without
// docker-state.json.
func forgot(st *state.State, name string) {
	h := st.Host(name)
	h.Engine = state.Engine{Answered: state.Present, Version: "28.5.2", DataRoot: "/var/lib/docker", LocalNodeState: "inactive"}
	h.SwarmDir.HasStateFile = false
}

// wiped is an engine in no swarm on a disk without state.
func wiped(st *state.State, name string) {
	forgot(st, name)
	st.Host(name).SwarmDir = state.SwarmDir{Presence: state.Absent, FreeBytes: 20_000_000_000, FreeInode: 1_000_000}
}

func edited(g golden, edit func(*state.State)) golden {
	edit(g.state)
	return g
}

func ladderCases() []golden {
	sealed := func(st *state.State) {
		lost(st)
		for _, m := range []string{"m1", "m2", "m3"} {
			locked(st, m)
		}
	}
	return []golden{
		of("start-one-unreachable", "Two engines are down and m3 can't be reached: the two are a quorum.", func(st *state.State) {
			lost(st)
			down(st, "m1")
			down(st, "m2")
			lose(st, "m3")
		}).want("start m1+m2", "RQ209", "RQ301"),
		of("unlock-with-key", "Every manager is locked, and the configuration has the key.", sealed).with(ruled(3, forceAlone, aKey)).
			want("unlock m1+m2+m3", "RQ209"),
		of("start-and-unlock", "Auto-locked managers are down after a power cut.", func(st *state.State) {
			lost(st)
			autolock(st)
			for _, m := range []string{"m1", "m2", "m3"} {
				down(st, m)
			}
		}).with(ruled(3, forceAlone, aKey)).want("start m1+m2+m3, unlock m1+m2+m3", "RQ209"),
		of("start-not-allowed", "Engines that are down would be a quorum, and starting them is not allowed.", func(st *state.State) {
			lost(st)
			down(st, "m1")
			down(st, "m2")
		}).with(ruled(3, "  allow = [\"restore\"]\n", "")).want("", "RQ222", "RQ209"),
		edited(alone("undecided", "m1 sees no leader and the others can't be reached: for two minutes that says nothing.", lose).with(ruled(3, allRungs, "")),
			func(st *state.State) { st.FirstLookedAt = st.ObservedAt.Add(-30 * time.Second) }).want("", "RQ221", "RQ209", "RQ301", "RQ301"),
		of("absent-nothing", "No disk holds state, and no backup is there.", func(st *state.State) {
			lost(st)
			for _, m := range []string{"m1", "m2", "m3"} {
				wiped(st, m)
			}
		}).with(ruled(3, allRungs, "")).want("", "RQ223", "RQ209"),
	}
}

func forceCases() []golden {
	dead := forceAlone + "  assume_dead = [\"m2\", \"m3\"]\n"
	return []golden{
		alone("force-not-allowed", "m1 alone is left, and forcing a cluster out of it is not allowed.", forgot).want("", "RQ222", "RQ209"),
		edited(alone("force", "m2 and m3 forgot their swarm and its state file: a cluster is forced out of the furthest log, and both come back.", forgot).with(ruled(3, forceAlone, "")),
			func(st *state.State) {
				st.Host("m2").SwarmDir.Raft = log("m2", 7, 962)
				st.Host("m3").SwarmDir.Raft = log("m3", 6, 970)
			}).want("hold m2, save m2, prepare m2, fence m1, fence m3, restore m2, start m2, init m2, join m1, join m3, await w1, stop m3, archive m3, start m3, verify m3", "RQ120", "RQ103"),
		alone("force-unreachable", "m2 and m3 can't be reached, and nobody says that they are gone for good: approving that is asked for.", lose).with(ruled(3, forceAlone, "")).want("hold m1, save m1, prepare m1, restore m1, start m1, init m1, await w1", "RQ224", "RQ224", "RQ209", "RQ301", "RQ301", "RQ120", "RQ121", "RQ121", "RQ122", "RQ134"),
		alone("force-acknowledged", "m2 and m3 can't be reached and are said to be dead.", lose).with(ruled(3, dead, "")).want("hold m1, save m1, prepare m1, restore m1, start m1, init m1, await w1", "RQ224", "RQ224", "RQ209", "RQ301", "RQ301", "RQ120", "RQ122", "RQ134"),
		edited(alone("force-host-key", "m2 shows another host key, so it is alive, whatever assume_dead says.", lose).with(ruled(3, dead, "")), func(st *state.State) {
			st.Host("m2").Problem = &state.Problem{Code: "RQ303", Text: "the host key is not the one on record"}
		}).want("hold m1, save m1, prepare m1, restore m1, start m1, init m1, await w1", "RQ224", "RQ224", "RQ209", "RQ301", "RQ303", "RQ120", "RQ121", "RQ122", "RQ134"),
		edited(alone("force-wiped", "m2's and m3's disks are empty: they join anew and get their labels.", wiped).with(ruled(3, forceAlone, "")), func(st *state.State) {
			st.Host("m1").Engine.Containers = 2
			b := aged(time.Hour)
			b.Raft = *log("m2", 7, 990)
			keep(st, b)
		}).want("hold m1, save m1, prepare m1, fence m2, fence m3, restore m1, start m1, init m1, join m2, update-node m2, remove-node m2, join m3, update-node m3, remove-node m3, await w1", "RQ209", "RQ102", "RQ120", "RQ122", "RQ123"),
		edited(alone("force-autolocked", "An auto-locked survivor with an uncommitted entry, an expired certificate and another address than declared.", wiped).with(ruled(3, forceAlone, aKey)),
			func(st *state.State) {
				d := &st.Host("m1").SwarmDir
				d.Locked, d.CertificateExpiry = true, observedAt.Add(-time.Hour)
				d.Raft.Commit = 958
				for i := range d.Raft.Members {
					d.Raft.Members[i].Addr = strings.Replace(d.Raft.Members[i].Addr, "10.0.0.", "192.0.2.", 1)
				}
			}).want("hold m1, save m1, prepare m1, fence m2, fence m3, restore m1, start m1, init m1, join m2, join m3, fence w1, join w1", "RQ209", "RQ120", "RQ121", "RQ121", "RQ122"),
		edited(alone("force-autolocked-no-key", "An auto-locked survivor, and nobody here knows the key.", wiped).with(ruled(3, forceAlone, "")),
			func(st *state.State) { st.Host("m1").SwarmDir.Locked = true }).want("", "RQ205", "RQ209"),
	}
}

// cut makes a host one on which the recovery was cut.
func cut(st *state.State, name string, phase state.RecoveryPhase) {
	h := st.Host(name)
	r := state.HostRecovery{ID: "20250310T025000Z-c0ffee", Cluster: "prod", Phase: phase, Held: phase != state.RecoveryLifted}
	if r.Held {
		down(st, name)
		h.Service.Holds = []string{"/var/lib/requeen/recoveries/" + r.ID + "/hold"}
	}
	switch phase {
	case state.RecoveryFenced:
		r.Aside = "/var/lib/docker/swarm.requeen-" + r.ID
		h.SwarmDir.HasRaft, h.SwarmDir.HasStateFile, h.SwarmDir.Raft = false, false, nil
	case state.RecoveryStaged:
		r.Staged = "/var/lib/docker/swarm.requeen-" + r.ID + ".new"
	case state.RecoverySwapped, state.RecoveryLifted:
		r.Aside = "/var/lib/docker/swarm.requeen-" + r.ID
		h.SwarmDir.HasStateFile = false
		h.SwarmDir.Raft.Term, h.SwarmDir.Raft.Members, h.SwarmDir.Raft.Epoch = 1007, h.SwarmDir.Raft.Members[:1], r.ID
	}
	h.Recoveries = []state.HostRecovery{r}
}

func cutCases() []golden {
	at := func(name, about string, edit func(*state.State)) golden {
		g := alone(name, about, forgot).with(ruled(3, forceAlone, ""))
		return edited(g, edit)
	}
	fencedBoth := func(st *state.State) {
		cut(st, "m2", state.RecoveryFenced)
		cut(st, "m3", state.RecoveryFenced)
	}
	return []golden{
		at("cut-held", "A recovery was cut once m1 was held.", func(st *state.State) { cut(st, "m1", state.RecoveryHeld) }).want("hold m1, save m1, prepare m1, fence m2, fence m3, restore m1, start m1, init m1, join m2, join m3, await w1, stop m3, archive m3, start m3, verify m3", "RQ120", "RQ103"),
		at("cut-held-but-enough", "A recovery holds m1 and has changed nothing, and m2 and m3 are only stopped: all are started.", func(st *state.State) {
			cut(st, "m1", state.RecoveryHeld)
			for _, m := range []string{"m2", "m3"} {
				down(st, m)
				st.Host(m).SwarmDir.HasStateFile = true
			}
		}).want("start m1+m2+m3", "RQ209"),
		at("cut-staged", "A recovery was cut once the directory was staged and m2 fenced.", func(st *state.State) {
			cut(st, "m1", state.RecoveryStaged)
			cut(st, "m2", state.RecoveryFenced)
		}).want("hold m1, save m1, prepare m1, fence m2, fence m3, restore m1, start m1, init m1, join m2, join m3, await w1, stop m3, archive m3, start m3, verify m3", "RQ305", "RQ120", "RQ103"),
		at("cut-swapped", "A recovery was cut once m1's directory was replaced.", func(st *state.State) {
			fencedBoth(st)
			cut(st, "m1", state.RecoverySwapped)
		}).want("fence m2, fence m3, start m1, init m1, join m2, join m3, await w1, stop m3, archive m3, start m3, verify m3", "RQ305", "RQ305", "RQ120", "RQ103"),
		at("cut-lifted", "A recovery was cut before its new cluster was made.", func(st *state.State) {
			fencedBoth(st)
			forgot(st, "m1")
			cut(st, "m1", state.RecoveryLifted)
		}).want("fence m2, fence m3, init m1, join m2, join m3, await w1, stop m3, archive m3, start m3, verify m3", "RQ305", "RQ305", "RQ120", "RQ103"),
		at("cut-restore-swapped", "A restore was cut once the directory was replaced: going on needs no force_new_cluster.", func(st *state.State) {
			fencedBoth(st)
			cut(st, "m1", state.RecoverySwapped)
		}).with(ruled(3, "  allow = [\"restore\"]\n", "")).want("fence m2, fence m3, start m1, init m1, join m2, join m3, await w1, stop m3, archive m3, start m3, verify m3", "RQ305", "RQ305", "RQ120", "RQ103"),
	}
}

func restoreCases() []golden {
	absent := func(name, about string, edit func(*state.State, *state.Backup)) golden {
		return of(name, about, func(st *state.State) {
			lost(st)
			for _, m := range []string{"m1", "m2", "m3"} {
				wiped(st, m)
			}
			b := aged(5 * time.Hour)
			b.Raft, b.OpenedAt = *log("m2", 7, 940), observedAt.Add(-time.Hour)
			b.Raft.Objects = state.Objects{Nodes: 4, Services: 3, Secrets: 1}
			b.Stored = []state.StoredObject{{Name: "swarm.tar.zst.age", Size: 400_000}}
			if edit != nil {
				edit(st, &b)
			}
			keep(st, b)
		}).with(ruled(3, allRungs, ""))
	}
	onto := func(g golden, name string) golden { g.onto = name; return g }
	g := of("restore-asked", "The swarm is well, and a restore of an older backup is asked for.", func(st *state.State) {
		b := aged(5 * time.Hour)
		b.Raft, b.OpenedAt = *log("m2", 7, 940), observedAt.Add(-time.Hour)
		keep(st, b)
	}).with(ruled(3, allRungs, ""))
	g.restore = "latest"
	return []golden{
		absent("restore", "Every manager's disk is empty: the newest backup goes onto the host that it was taken on.", nil).want("prepare m2, hold m2, fence m1, fence m3, restore m2, start m2, init m2, join m1, update-node m1, remove-node m1, join m3, update-node m3, remove-node m3, rotate-join-tokens m2, await w1", "RQ209", "RQ125", "RQ134"),
		absent("restore-never-opened", "The backup was never opened.", func(_ *state.State, b *state.Backup) { b.OpenedAt = time.Time{} }).want("prepare m2, hold m2, fence m1, fence m3, restore m2, start m2, init m2, join m1, update-node m1, remove-node m1, join m3, update-node m3, remove-node m3, rotate-join-tokens m2, await w1", "RQ209", "RQ124", "RQ125", "RQ134"),
		onto(absent("restore-elsewhere", "The backup of m2 goes onto m3: no node ID and no raft ID is on two hosts.", nil), "m3").want("prepare m3, hold m3, fence m1, fence m2, restore m3, start m3, init m3, join m1, update-node m1, remove-node m1, join m2, update-node m2, remove-node m2, update-node m3, remove-node m3, rotate-join-tokens m3, await w1", "RQ209", "RQ125", "RQ134"),
		absent("restore-no-identity", "The backup can't be opened without an identity.", nil).
			with(strings.Replace(ruled(3, allRungs, ""), "  identity   = \"/root/identity.txt\"\n", "", 1)).want("", "RQ225", "RQ110"),
		absent("restore-newer-engine", "The backup was taken with a newer engine.", func(_ *state.State, b *state.Backup) { b.EngineVersion = "29.1.0" }).want("", "RQ225"),
		absent("restore-no-room", "m2's disk can't hold it.", func(st *state.State, _ *state.Backup) { st.Host("m2").SwarmDir.FreeBytes = 90_000_000 }).want("", "RQ203"),
		absent("restore-autolocked", "The backup is of an auto-locked swarm and no key is configured.", func(_ *state.State, b *state.Backup) { b.Autolocked, b.KeySHA256 = true, "ab12" }).want("", "RQ205"),
		absent("restore-unknown-manager", "m3 can't be reached and is not said to be dead: unknown is not absent.", func(st *state.State, _ *state.Backup) { lose(st, "m3") }).want("", "RQ209", "RQ301"),
		absent("restore-dead-manager", "m3 can't be reached and is said to be dead.", func(st *state.State, _ *state.Backup) { lose(st, "m3") }).
			with(ruled(3, allRungs+"  assume_dead = [\"m3\"]\n", "")).want("prepare m2, hold m2, fence m1, restore m2, start m2, init m2, join m1, update-node m1, remove-node m1, rotate-join-tokens m2, await w1", "RQ224", "RQ209", "RQ301", "RQ125", "RQ134"),
		g.want("prepare m2, hold m2, fence m3, hold m1, save m1, fence m1, restore m2, start m2, init m2, join m3, join m1, rotate-join-tokens m2, await w1, stop m1, archive m1, start m1, verify m1", "RQ125", "RQ134", "RQ103"),
	}
}

func growCases() []golden {
	recovered := func(name, about string, edit func(*state.State)) golden {
		return of(name, about, func(st *state.State) {
			st.Swarm.Epoch = "20250310T025000Z-c0ffee"
			b := aged(time.Minute)
			b.Epoch = st.Swarm.Epoch
			keep(st, b)
			edit(st)
			out := member(st, "m3")
			out.Status, out.Reachability, out.ManagerAddr = "down", "", ""
		}).with(ruled(3, forceAlone, ""))
	}
	return []golden{
		recovered("grow-fenced", "m3 is fenced by the recovery that made the swarm: it joins with its certificates.", func(st *state.State) {
			st.Host("m3").SwarmDir.Raft = log("m3", 7, 960)
			cut(st, "m3", state.RecoveryFenced)
		}).want("join m3", "RQ305"),
		recovered("grow-let-go", "m3 was let go, and the run was cut before it had joined.", func(st *state.State) {
			st.Host("m3").SwarmDir.Raft = log("m3", 7, 960)
			cut(st, "m3", state.RecoveryFenced)
			h := st.Host("m3")
			h.Recoveries[0].Held, h.Recoveries[0].Phase, h.Service.Holds, h.Service.ActiveState = false, state.RecoveryLifted, nil, "active"
			h.Engine = state.Engine{Answered: state.Present, Version: "28.5.2", DataRoot: "/var/lib/docker", LocalNodeState: "inactive"}
		}).want("fence m3, join m3"),
		recovered("grow-zombie", "m3 was out of reach during the recovery and comes back with its old state, in no swarm.", func(st *state.State) { forgot(st, "m3") }).want("fence m3, join m3"),
		recovered("grow-zombie-stopped", "m3 was out of reach during the recovery, and its engine is down with its old state: it must not start with that.", func(st *state.State) {
			down(st, "m3")
		}).want("fence m3, join m3"),
		recovered("grow-wiped", "m3 was installed anew since the recovery.", func(st *state.State) { wiped(st, "m3") }).want("fence m3, join m3, update-node m3, remove-node m3"),
		recovered("grow-entry-left", "m3 is back under a new node ID, and its old entry is left.", func(st *state.State) {
			h := st.Host("m3")
			h.Engine.NodeID, h.SwarmDir.NodeID = "anew00000000000000000000", "anew00000000000000000000"
			m := *member(st, "m2")
			m.ID, m.Hostname, m.Addr, m.ManagerAddr = "anew00000000000000000000", "m3", "10.0.0.13", "10.0.0.13:2377"
			st.Swarm.Nodes = append(st.Swarm.Nodes, m)
		}).want("update-node m3, remove-node m3"),
		recovered("grow-held-member", "m2 is a member of the swarm, and a cut recovery holds its engine without having changed its state.", func(st *state.State) {
			cut(st, "m2", state.RecoveryHeld)
			st.Swarm.Epoch = ""
			keep(st, aged(time.Minute))
		}).want("start m2"),
	}
}
