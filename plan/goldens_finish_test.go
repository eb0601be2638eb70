package plan_test

import (
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
)

const (
	keyToFile = "  unlock_key_to {\n    file = \"unlock-key.age\"\n  }\n"
	keyToPipe = "  unlock_key_to {\n    command = \"vault kv put swarm/prod key=-\"\n  }\n"
	twoChecks = "  verify = [\"curl -fsS https://shop.example/health\", \"./smoke.sh\"]\n"
)

// finishCases are what a recovery ends with: the unlock key, and the commands that
// have to succeed.
func finishCases() []golden {
	sealedBackup := func(name, about, recovery string) golden {
		return of(name, about, func(st *state.State) {
			lost(st)
			for _, m := range []string{"m1", "m2", "m3"} {
				wiped(st, m)
			}
			b := aged(5 * time.Hour)
			b.Raft, b.OpenedAt, b.Autolocked, b.KeySHA256 = *log("m2", 7, 940), observedAt.Add(-time.Hour), true, "ab12"
			keep(st, b)
		}).with(ruled(3, allRungs+recovery, aKey))
	}
	sealedForce := func(name, about, recovery string) golden {
		return edited(alone(name, about, forgot).with(ruled(3, forceAlone+recovery, aKey)), func(st *state.State) {
			for _, m := range []string{"m1", "m2", "m3"} {
				st.Host(m).SwarmDir.Locked = true
			}
		})
	}
	undelivered := func(name, about, recovery string) golden {
		return of(name, about, func(st *state.State) {
			autolock(st)
			st.Swarm.Epoch, st.Swarm.KeyUndelivered = "20250310T025000Z-c0ffee", "20250310T025000Z-c0ffee"
			b := aged(time.Minute)
			b.Epoch = st.Swarm.Epoch
			keep(st, b)
		}).with(ruled(3, forceAlone+recovery, ""))
	}
	twoHeld := edited(undelivered("rotate-cut-held", "The same, and the recovery still holds two managers: the key is delivered once, after both are back.", keyToFile), func(st *state.State) {
		for _, m := range []string{"m2", "m3"} {
			st.Host(m).SwarmDir.Raft = log(m, 7, 960)
			cut(st, m, state.RecoveryFenced)
			out := member(st, m)
			out.Status, out.Reachability, out.ManagerAddr = "down", "", ""
		}
	})
	const (
		restored = "prepare m2, hold m2, fence m1, fence m3, restore m2, start m2, init m2, join m1, update-node m1, remove-node m1, join m3, update-node m3, remove-node m3, rotate-join-tokens m2"
		forced   = "hold m1, save m1, prepare m1, fence m2, fence m3, restore m1, start m1, init m1, join m2, join m3"
		backup   = "stop m3, archive m3, start m3, unlock m3, verify m3"
	)
	plaintext := sealedBackup("rotate-plaintext", "The only repository is plaintext, so nobody could be given the new key's file.", keyToFile)
	from := strings.Index(plaintext.config, "  recipients")
	plaintext.config = plaintext.config[:from] + "  plaintext  = true\n}\n" + plaintext.config[from+strings.Index(plaintext.config[from:], "}\n")+2:]
	return []golden{
		sealedBackup("rotate-restore", "A restore of an auto-locked swarm makes the unlock key anew, into a file, and ends with commands.", keyToFile+twoChecks).
			want(restored+", rotate-unlock-key m2, await w1, check m2, check m2", "RQ209", "RQ125", "RQ134"),
		sealedBackup("rotate-nowhere", "A restore of an auto-locked swarm, and no place for a new key.", "").want(restored+", await w1", "RQ209", "RQ127", "RQ125", "RQ134"),
		sealedBackup("rotate-declined", "A restore of an auto-locked swarm, whose key is to stay.", "  rotate_unlock_key = false\n"+keyToFile).want(restored+", await w1", "RQ209", "RQ125", "RQ134"),
		plaintext.want(restored+", await w1", "RQ209", "RQ127", "RQ125", "RQ134"),
		sealedForce("rotate-force", "A forced cluster is asked for a new unlock key: it is made before the backup, and the commands come between.", "  rotate_unlock_key = true\n"+keyToPipe+twoChecks).
			want(forced+", rotate-unlock-key m1, await w1, check m1, check m1, "+backup, "RQ120", "RQ103", "RQ108", "RQ107"),
		sealedForce("rotate-force-not-asked", "A forced cluster keeps its unlock key where nothing is said.", keyToPipe).want(forced+", await w1, "+backup, "RQ120", "RQ103", "RQ108", "RQ107"),
		undelivered("rotate-cut", "A recovery was cut between making the key anew and its delivery: that key is delivered.", keyToFile).
			want("rotate-unlock-key m1"),
		twoHeld.want("join m2, join m3, rotate-unlock-key m1", "RQ305", "RQ305"),
		undelivered("rotate-cut-nowhere", "The same, and no place for the key is declared any more.", "").want("", "RQ414"),
		of("check-start", "Engines are started after a power cut, and a command says whether the swarm serves.", func(st *state.State) {
			lost(st)
			for _, m := range []string{"m1", "m2", "m3"} {
				down(st, m)
			}
		}).with(ruled(3, forceAlone+twoChecks, "")).want("start m1+m2+m3, check m1, check m1", "RQ209"),
		of("check-nothing-to-recover", "The swarm is well: its recovery's commands are not run.", func(st *state.State) { keep(st, aged(time.Minute)) }).
			with(ruled(3, forceAlone+twoChecks, "")).want(""),
	}
}
