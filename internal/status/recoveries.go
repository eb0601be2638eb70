package status

import (
	"fmt"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// holder is the recovery whose hold file keeps a host's engine down.
func holder(h *state.Host) *state.HostRecovery {
	for i := range h.Recoveries {
		if h.Recoveries[i].Held {
			return &h.Recoveries[i]
		}
	}
	return nil
}

// elsewhere tells whether another cluster's recovery holds a host's engine.
func (j *judge) elsewhere(h *state.Host) bool {
	return slices.ContainsFunc(h.Recoveries, func(r state.HostRecovery) bool {
		return r.Held && r.Cluster != "" && r.Cluster != j.in.Config.Cluster.Name
	})
}

// recoveries judges what recoveries have left on a host.
func (j *judge) recoveries(h *state.Host) {
	for _, r := range h.Recoveries {
		own := r.Cluster == "" || r.Cluster == j.in.Config.Cluster.Name
		switch {
		case r.Held && !own: // a goal of the plan says it
		case r.Held:
			j.find(NeedsHand, "", h.Name, fmt.Sprintf("The recovery %s holds the engine of %s (%s): it does not start, also not after a reboot.", r.ID, h.Name, phaseWords(r.Phase)),
				"requeen plan goes on with it, and requeen apply lets the engine go when its turn comes. Don't start it by hand.")
		case own && r.Phase != state.RecoveryLifted && r.Phase != state.RecoveryBegun:
			j.find(NeedsHand, "", h.Name, fmt.Sprintf("The recovery %s was cut on %s (%s).", r.ID, h.Name, phaseWords(r.Phase)), "requeen plan goes on with it.")
		}
	}
	for _, a := range j.r.Asides {
		if a.Node == h.Name {
			j.aside(a)
		}
	}
	for _, l := range j.r.VolumeHolders {
		if l.Node == h.Name {
			j.volumeHolder(l)
		}
	}
}

func (j *judge) aside(a Aside) {
	what := "certificates of the swarm"
	if a.HasRaft {
		what = "a whole cluster, its keys and secrets"
	}
	text := fmt.Sprintf("%s on %s holds %s (%s, changed %s).", a.Path, a.Node, what, megabytes(a.Bytes), ago(j.in.Now, a.ChangedAt))
	if a.Superfluous {
		j.find(Note, "", a.Node, text+" "+upper(a.Why)+".", "requeen host cleanup removes it.")
		return
	}
	j.find(Note, "", a.Node, text+" It is kept: "+a.Why+".", a.Remedy)
}

// phaseWords say what a phase has done to a host.
func phaseWords(p state.RecoveryPhase) string {
	switch p {
	case state.RecoveryHeld:
		return "held"
	case state.RecoveryFenced:
		return "fenced: its raft state is set aside"
	case state.RecoveryStaged:
		return "staged: the prepared directory is beside its place"
	case state.RecoverySwapped:
		return "swapped: the prepared directory is in its place"
	}
	return string(p)
}

// comesBack says what a plan would do about the condition, "" where it plans no
// recovery.
func comesBack(p *plan.Plan) string {
	if p.Recovery == nil || len(p.Steps) == 0 {
		return ""
	}
	how := map[plan.Rung]string{
		plan.RungStart:   "engines are started or managers unlocked, and nothing is lost",
		plan.RungForce:   "a new cluster is forced out of " + p.Recovery.Node,
		plan.RungRestore: "backup " + p.Recovery.Backup + " is restored onto " + p.Recovery.Node,
		plan.RungGrow:    "managers join again",
	}[p.Recovery.Rung]
	return fmt.Sprintf("requeen plan has a way back: %s. Review it, then requeen apply.", how)
}

// back is what to type about a node that the plan's recovery brings back, else
// what people do by hand.
func (j *judge) back(node, byHand string) string {
	for _, s := range j.plan.Steps {
		if (s.Recovery != "" || s.BringsBack()) && (s.Node == node || slices.Contains(s.With, node)) {
			return "requeen plan shows how it comes back."
		}
	}
	return byHand
}

// led is what people do by hand while a leader answers; without one it could hang
// an engine, or cost the last copy of the state.
func (j *judge) led(byHand string) string {
	if j.in.State.Swarm == nil {
		return "Nothing by hand: no leader answers. See what is said of the cluster."
	}
	return byHand
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
