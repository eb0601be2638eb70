package plan_test

// unlocked is a case again, planned with -lock=false.
func unlocked(list []golden, from, name, about string) golden {
	for _, g := range list {
		if g.name == from {
			g.name, g.about, g.noLock = name, about, true
			return g
		}
	}
	panic("no case " + from)
}

// noLockCases are plans with -lock=false: what brings the swarm back is planned, and
// nothing that writes to a repository or removes what another run may be storing.
func noLockCases() []golden {
	const restored = "prepare m2, hold m2, fence m1, fence m3, restore m2, start m2, init m2, join m1, update-node m1, remove-node m1, join m3, update-node m3, remove-node m3, rotate-join-tokens m2, await w1"
	asked := unlocked(restoreCases(), "restore-asked", "nolock-restore-asked", "A restore of a swarm that is well without the lock: what it holds now stays on the leader's host.")
	return []golden{
		unlocked(forceCases(), "force", "nolock-force", "A cluster is forced without the repository's lock: no copy and no backup is stored.").
			want("hold m2, prepare m2, fence m1, fence m3, restore m2, start m2, init m2, join m1, join m3, await w1", "RQ226", "RQ126", "RQ120"),
		unlocked(restoreCases(), "restore", "nolock-restore", "A restore without the lock: the repository is only read.").
			want(restored, "RQ126", "RQ125", "RQ134"),
		asked.want("prepare m2, hold m2, fence m3, hold m1, fence m1, restore m2, start m2, init m2, join m3, join m1, rotate-join-tokens m2, await w1", "RQ126", "RQ125", "RQ134"),
		unlocked(ladderCases(), "start-one-unreachable", "nolock-start", "Engines are started without the lock.").
			want("start m1+m2", "RQ226", "RQ126", "RQ301"),
		unlocked(dueCases(), "due", "nolock-due", "A backup is due, and is not taken without the lock.").want("", "RQ226"),
		unlocked(dueCases(), "lock-held", "nolock-held", "A backup is due, and another run holds the lock that is not to be taken.").want("", "RQ226", "RQ402"),
		unlocked(leftoverCases(), "leftover-stopped", "nolock-leftover", "A cut run left the engine stopped and a copy: the engine is started, the copy stays for a run that has the lock.").
			want("start m2", "RQ226", "RQ126", "RQ401"),
		unlocked(leftoverCases(), "leftover-not-due", "nolock-leftover-not-due", "A cut run left a copy that nobody needs: another run may be storing it, so it stays.").
			want("", "RQ401"),
	}
}
