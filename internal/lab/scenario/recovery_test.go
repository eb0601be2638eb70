//go:build lab

package scenario

import (
	"testing"

	"github.com/requeen/requeen/internal/lab"
)

func TestRecoveryOn28(t *testing.T) {
	r := newStories(t, lab.Options{Name: "r28", Suite: "sid", Managers: 3, Workers: 1})
	r.tell("every engine is stopped", (*swarm).allStopped)
	r.tell("a manager's and a worker's engines are stopped", (*swarm).someStopped)
	r.tell("two managers come back with new disks", func(s *swarm) {
		s.twoReplaced()
		r.writes["force_new_cluster"] = s.journalled()
		r.steps["force_new_cluster"] = s.intents()
	})
	r.tell("every disk is new", func(s *swarm) {
		s.allReplaced()
		r.writes["restore"] = s.journalled()
		r.steps["restore"] = s.intents()
	})
	r.tell("a restore with running containers", (*swarm).runningContainers)
	r.tell("a secret is created and the power fails", (*swarm).powerFails)
	r.tell("the survivors' logs differ", (*swarm).logsDiffer)
	r.tell("auto-locked: the power fails, and the key is made anew", (*swarm).lockedRotates)
	r.tell("two managers are assumed dead, and return", (*swarm).deadReturn)
	r.tell("the disk has no room for a restore", (*swarm).noRoom)
	r.tell("a branch is planned, approved, merged and applied", (*swarm).pullRequest)
	r.tell("a fork is planned from a recorded observation", (*swarm).untrusted)
	if torture() {
		r.tell("two managers' engines are stopped", (*swarm).twoStopped)
		r.tell("the furthest survivor's disk is new too", (*swarm).furthestLost)
		r.tell("a worker that writes to a share can't be reached", (*swarm).sharedPlace)
		r.tell("a destructive plan is applied twice", (*swarm).appliedTwice)
		r.tell("auto-locked: the power fails, and two disks are new", (*swarm).lockedPowerFails)
		r.more()
	}
	r.killed("killed in a forced cluster", "m2", "m3")
	r.cutOff("cut off in a forced cluster", "m2", "m3")
	if torture() {
		r.killed("killed in a restore", "m1", "m2", "m3")
		r.cutOff("cut off in a restore", "m1", "m2", "m3")
	}
	r.tell("with sudo, out of a mount", (*swarm).forcedFromMount) // the last, since it alters the hosts
}

func TestRecoveryOn20(t *testing.T) {
	r := newStories(t, lab.Options{Name: "r20", Suite: "bookworm", Managers: 3, Workers: 1})
	r.tell("two managers come back with new disks", (*swarm).twoReplaced)
	r.tell("auto-locked: the power fails, and two disks are new", (*swarm).lockedPowerFails)
	if torture() {
		r.tell("auto-locked: the power fails, and the key is made anew", (*swarm).lockedRotates)
		r.tell("every disk is new", (*swarm).allReplaced)
		r.tell("a restore with running containers", (*swarm).runningContainers)
		r.tell("a secret is created and the power fails", (*swarm).powerFails)
		r.tell("the survivors' logs differ", (*swarm).logsDiffer)
		r.tell("two managers are assumed dead, and return", (*swarm).deadReturn)
		r.more()
		r.killed("killed in a forced cluster", "m2", "m3")
		r.killed("killed in a restore", "m1", "m2", "m3")
	}
}

// more are the stories that only make torture tells.
func (r *stories) more() {
	r.tell("auto-locked: every engine is stopped", (*swarm).lockedAllStopped)
	r.tell("auto-locked: every disk is new", (*swarm).lockedAllReplaced)
	r.tell("auto-locked: every manager is fenced with its disk", (*swarm).lockedFencedReturn)
	r.tell("auto-locked: killed when the new key is to be delivered", (*swarm).lockedCutAtDelivery)
	r.tell("two managers are fenced with their disks", (*swarm).fencedReturn)
	r.tell("an old majority returns", (*swarm).oldMajority)
	r.tell("a backup's source returns", (*swarm).sourceReturns)
	r.moreExpired()
	r.tell("nodes that joined after the backup return", (*swarm).laterJoined)
	r.tell("nodes with a newer root CA return", (*swarm).newerRoot)
	r.tell("a majority with a newer root CA returns", (*swarm).newerRootMajority)
	r.tell("taken back to before the root CA was rotated", (*swarm).newerRootAsked)
	r.tell("with sudo, out of a link", (*swarm).forcedFromLink)
	r.tell("with sudo, into a mount, a link and another file system", (*swarm).restoredElsewhere)
}

// stories are losses of one swarm, each of which ends with a whole one. Where
// one does not, the swarm is put back for the next.
type stories struct {
	t       *testing.T
	s       *swarm
	spoiled bool
	writes  map[string]int // by rung, of a whole recovery's journal
	steps   map[string][]intent
}

func newStories(t *testing.T, o lab.Options) *stories {
	s := newSwarm(t, o)
	s.on("m1", `docker node update --label-add zone=a m2 >/dev/null
		docker node update --label-add zone=b m3 >/dev/null
		docker node update --label-add disk=fast w1 >/dev/null`)
	must(t, s.lab.Snapshot(s.ctx, lab.DefaultSnapshot))
	s.allBack()
	return &stories{t: t, s: s, writes: map[string]int{}, steps: map[string][]intent{}}
}

// tell tells a story; a torture that goes on does not tell again what passed.
func (r *stories) tell(name string, story func(*swarm)) {
	reported(r.t, name, func(t *testing.T) { r.begin(t, story) })
}

func (r *stories) begin(t *testing.T, story func(*swarm)) {
	if r.spoiled {
		must(t, r.s.lab.Reset(r.s.ctx, lab.DefaultSnapshot))
	}
	r.spoiled = true
	s := r.s.fresh(t)
	s.altered = false
	s.allBack()
	must(t, s.lab.WaitServices(s.ctx, "m1"))
	s.append(`
recovery {
  allow = ["start", "unlock", "force_new_cluster", "restore"]
}
`)
	story(s)
	r.spoiled = t.Failed() || s.altered
}
