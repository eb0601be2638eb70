package status

import (
	"fmt"
	"strings"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// Holder is a container that a recovery left on a host so that anonymous volumes
// stay, judged.
type Holder struct {
	Node string `json:"node"`
	state.VolumeHolder
	// Superfluous tells that the recovery is over: the container may go, and its
	// volumes stay.
	Superfluous bool   `json:"superfluous"`
	Why         string `json:"why"`              // it may go, or is kept
	Remedy      string `json:"remedy,omitempty"` // what makes a kept one superfluous
}

// Holders judges the containers that hold volumes on the declared hosts, in the
// order of the hosts.
func Holders(cfg *schema.Config, st *state.State) []Holder {
	var list []Holder
	for _, h := range st.Hosts {
		for _, v := range h.VolumeHolders {
			l := Holder{Node: h.Name, VolumeHolder: v}
			l.Superfluous, l.Why, l.Remedy = judgeHolder(v, cfg, st, h)
			list = append(list, l)
		}
	}
	return list
}

// judgeHolder goes by whether what the volumes are held against has happened: the
// swarm that came of the recovery leads, and its word has reached the host's engine.
// No backup counts, for none holds volumes, and they stay.
func judgeHolder(v state.VolumeHolder, cfg *schema.Config, st *state.State, h state.Host) (superfluous bool, why, remedy string) {
	if v.State != "created" {
		return false, "somebody started it, so requeen does not remove it", "Look at what it is, and remove it by hand: docker rm " + v.Name + "."
	}
	for _, r := range h.Recoveries {
		switch {
		case r.ID != v.Recovery && r.Held:
			return false, "the recovery " + r.ID + " holds the engine of its host", "requeen plan goes on with it."
		case r.ID != v.Recovery:
		case r.Cluster != "" && r.Cluster != cfg.Cluster.Name:
			return false, "it is of the cluster " + r.Cluster, "Run requeen host cleanup with that cluster's configuration."
		case r.Held || r.Phase != state.RecoveryLifted:
			return false, fmt.Sprintf("its recovery is not over on this host (%s)", phaseWords(r.Phase)), "requeen plan goes on with it."
		}
	}
	if st.Swarm == nil || plan.Leader(cfg, st) == "" {
		return false, "no leader answers for the swarm: its recovery may not be over", "requeen plan says how the swarm comes back."
	}
	if h.Engine.LocalNodeState != "active" {
		return false, "the engine of its host takes no part in the swarm: which containers it removes is not decided", "requeen plan says how it comes back."
	}
	return true, "its recovery is over", ""
}

// volumeHolder tells one as what a recovery left: a note, for nothing is wrong.
func (j *judge) volumeHolder(l Holder) {
	made := ""
	if !l.CreatedAt.IsZero() {
		made = " " + ago(j.in.Now, l.CreatedAt)
	}
	text := fmt.Sprintf("The container %s on %s, made%s by the recovery %s, keeps %s of a container that goes with it.",
		l.Name, l.Node, made, l.Recovery, volumeWords(l.Volumes))
	if l.Superfluous {
		j.find(Note, "", l.Node, text+" "+upper(l.Why)+".", "requeen host cleanup removes the container and leaves the volumes; look into them there before docker volume rm.")
		return
	}
	j.find(Note, "", l.Node, text+" It is kept: "+l.Why+".", l.Remedy)
}

// volumeWords names volumes.
func volumeWords(names []string) string {
	switch len(names) {
	case 0:
		return "no volume any more"
	case 1:
		return "the anonymous volume " + names[0]
	}
	return "the anonymous volumes " + strings.Join(names, ", ")
}
