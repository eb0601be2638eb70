package plan_test

import (
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// heldBlock is the usual block with a volume of w1 and a directory of m1.
const heldBlock = `backup "state" {
  repository = "local"
  max_age    = "24h"
  swarm {
    from = "follower"
  }
  volume "pgdata" {
    node    = "w1"
    volume  = "db_pgdata"
    quiesce = ["db_postgres"]
  }
  directory "traefik" {
    node = "m1"
    path = "/etc/traefik"
  }
}
`

// heldConfig is ruled with that block.
func heldConfig(recovery string) string {
	return strings.Replace(ruled(3, recovery, ""), stateBackup, heldBlock, 1)
}

// heldData is a verified backup that holds both, the volume read on m3.
func heldData(age time.Duration) state.Backup {
	b := aged(age)
	b.Raft, b.OpenedAt = *log("m2", 7, 940), observedAt.Add(-time.Hour)
	b.Raft.Objects = state.Objects{Nodes: 4, Services: 3, Secrets: 1}
	b.Stored = []state.StoredObject{{Name: "swarm.tar.zst.age", Size: 400_000}, {Name: "data.tar.zst.age", Size: 500},
		{Name: "volume-pgdata.tar.zst.age", Size: 700_000_000, SHA256: "aa11"}, {Name: "directory-traefik.tar.zst.age", Size: 9_000, SHA256: "bb22"}}
	b.Data = []state.BackupData{
		{Kind: "volume", Name: "pgdata", Node: "m3", Object: "volume-pgdata.tar.zst.age", Consistency: "quiesced", Files: 1204, Bytes: 2_100_000_000, TakenAt: b.TakenAt},
		{Kind: "directory", Name: "traefik", Node: "m1", Object: "directory-traefik.tar.zst.age", Consistency: "live", Files: 7, Bytes: 20_480, TakenAt: b.TakenAt}}
	return b
}

// heldCase is a restore of that backup into a swarm that is well.
func heldCase(name, about string, only []string, edit func(*state.State, *state.Backup)) golden {
	g := of(name, about, func(st *state.State) {
		b := heldData(5 * time.Hour)
		st.Host("w1").Volumes = []state.Volume{{Name: "db_pgdata", Looked: state.Present, Driver: "local", Mountpoint: "/var/lib/docker/volumes/db_pgdata/_data"}}
		st.Swarm.Services = []state.ServiceScale{{ID: "s1", Name: "db_postgres", Mode: "replicated", Replicas: 2}}
		if edit != nil {
			edit(st, &b)
		}
		keep(st, b)
	}).with(heldConfig(allRungs))
	g.restore, g.only = "latest", only
	return g
}

func dataRestoreCases() []golden {
	const (
		both     = "quiesce m1, restore-volume w1, restore-volume m1, resume m1"
		restored = "prepare m2, hold m2, fence m1, fence m3, restore m2, start m2, init m2, join m1, update-node m1, remove-node m1, join m3, update-node m3, remove-node m3, rotate-join-tokens m2, await w1"
	)
	lostAll := func(name, about string, edit func(*state.State, *state.Backup)) golden {
		g := heldCase(name, about, nil, func(st *state.State, b *state.Backup) {
			lost(st)
			for _, m := range []string{"m1", "m2", "m3"} {
				wiped(st, m)
			}
			if edit != nil {
				edit(st, b)
			}
		})
		g.restore = ""
		return g
	}
	waiting := func(name, about, sources string, edit func(*state.State, *state.Backup)) golden {
		g := heldCase(name, about, nil, func(st *state.State, b *state.Backup) {
			st.Swarm.Services = []state.ServiceScale{{ID: "s1", Name: "db_postgres", Mode: "replicated", Scale: "2",
				Waits: "20250310T025500Z-c0ffee " + b.ID + " local replace " + sources}}
			if edit != nil {
				edit(st, b)
			}
		})
		g.restore = ""
		return g
	}
	// both of one service, which waits for the volume while the directory is asked for
	waitingToo := func(name, about string, exclude ...string) golden {
		g := waiting(name, about, "volume.pgdata", nil).with(strings.Replace(heldConfig(allRungs), `path = "/etc/traefik"`, "path    = \"/etc/traefik\"\n    quiesce = [\"db_postgres\"]", 1))
		g.restore, g.only, g.exclude = "latest", []string{"directory.traefik"}, exclude
		return g
	}
	without := func(g golden, exclude ...string) golden { g.exclude = exclude; return g }
	volume := []string{"volume.pgdata"}
	whole := heldCase("data-restore-swarm", "A restore of swarm and data is asked for: what the volume holds is set aside.", nil, nil)
	return []golden{
		heldCase("data-restore", "A volume is restored into a swarm that is well: nothing of the swarm is touched but who uses it.", volume, nil).
			want("quiesce m1, restore-volume w1, resume m1", "RQ135"),
		without(heldCase("data-restore-exclude", "All data are restored and the swarm is not.", nil, nil), "swarm").want(both, "RQ135", "RQ135"),
		heldCase("data-restore-gone", "The volume is not on its node: it is made, and nothing is destroyed.", volume, func(st *state.State, _ *state.Backup) {
			st.Host("w1").Volumes[0] = state.Volume{Name: "db_pgdata", Looked: state.Absent}
		}).want("quiesce m1, restore-volume w1, resume m1"),
		waitingToo("data-restore-awaited", "A restore is asked for of a service that waits for other data, of which a restore was cut.").want("", "RQ236"),
		waitingToo("data-restore-awaited-excluded", "The same, and what it waits for is left out by name.", "volume.pgdata").
			want("quiesce m1, restore-volume m1, resume m1", "RQ135"),
		heldCase("data-restore-undeclared", "The backup holds a volume that no block declares any more.", volume, nil).
			with(strings.Replace(heldConfig(allRungs), `volume "pgdata"`, `volume "other"`, 1)).want("", "RQ236"),
		heldCase("data-restore-not-held", "What is asked for is not in the backup.", []string{"volume.redis"}, nil).want("", "RQ236"),
		heldCase("data-restore-missing", "The backup was made without the volume.", volume, func(_ *state.State, b *state.Backup) {
			b.Data[0].Missing, b.Data[0].Object = true, ""
		}).want("", "RQ236"),
		heldCase("data-restore-unreachable", "The node of the volume can't be reached.", volume, func(st *state.State, _ *state.Backup) { lose(st, "w1") }).want("", "RQ236"),
		heldCase("data-restore-no-room", "The node of the volume has no room beside what is there.", volume, func(st *state.State, _ *state.Backup) {
			st.Host("w1").SwarmDir.FreeBytes = 2_000_000_000
		}).want("", "RQ203"),
		heldCase("data-restore-no-swarm", "No manager answers: who uses the volume can't be kept from it.", volume, func(st *state.State, _ *state.Backup) { lost(st) }).want("", "RQ209"),
		lostAll("data-restore-lost", "Every manager's disk is empty: swarm and data are restored, the data where nothing is.", nil).
			want(restored+", restore-volume w1, restore-volume m1, resume m2", "RQ209", "RQ125", "RQ134", "RQ136", "RQ136"),
		lostAll("data-restore-lost-missing", "Every manager's disk is empty, and the backup was made without the volume: the swarm does not stay down for it.", func(_ *state.State, b *state.Backup) {
			b.Data[0].Missing, b.Data[0].Object = true, ""
		}).want(restored+", restore-volume m1, resume m2", "RQ209", "RQ137", "RQ125", "RQ134", "RQ136"),
		lostAll("data-restore-lost-unreachable", "Every manager's disk is empty, and the node of the volume can't be reached: no service is to start without its data.", func(st *state.State, _ *state.Backup) { lose(st, "w1") }).
			want("", "RQ236"),
		without(lostAll("data-restore-lost-without", "The same, and the volume is left out by name.", func(st *state.State, _ *state.Backup) { lose(st, "w1") }), "volume.pgdata").
			want(restored[:len(restored)-len(", await w1")]+", restore-volume m1, resume m2", "RQ209", "RQ125", "RQ134", "RQ136"),
		whole.want("prepare m2, hold m2, fence m3, hold m1, save m1, fence m1, restore m2, start m2, init m2, join m3, join m1, rotate-join-tokens m2, await w1, restore-volume w1, restore-volume m1, resume m2, stop m1, archive m1, start m1, verify m1",
			"RQ125", "RQ134", "RQ135", "RQ135", "RQ103"),
		waiting("data-restore-cut", "A restore of data was cut: its services wait, and it is gone on with under its own name.", "volume.pgdata", nil).
			want("quiesce m1, restore-volume w1, resume m1", "RQ135"),
		waiting("data-restore-cut-stuck", "A restore of data was cut, and its backup is gone since.", "volume.pgdata", func(_ *state.State, b *state.Backup) { b.ID = "20250309T000000Z-0a1b2c" }).want("", "RQ217"),
		without(waiting("data-restore-cut-declined", "A restore of data was cut, and is not wanted any more.", "volume.pgdata", nil), "volume.pgdata").want("resume m1"),
	}
}
