package status

import (
	"fmt"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// Aside is a directory on a host that holds a swarm's state and that no engine
// uses, judged.
type Aside struct {
	Node string `json:"node"`
	state.SetAside
	Recovery string `json:"recovery,omitempty"` // that put it there; empty when nothing tells
	// Superfluous tells that a backup holds a newer state of the swarm that runs
	// now, and has been opened: the directory may go.
	Superfluous bool `json:"superfluous"`
	// Superseded tells that it would be superfluous, but for what it may hold
	// beyond the state that the swarm was made from: no safety copy has that.
	Superseded bool   `json:"superseded,omitempty"`
	Backup     string `json:"backup,omitempty"` // that makes it superfluous, or would once it was opened
	Why        string `json:"why"`              // it may go, or is kept
	Remedy     string `json:"remedy,omitempty"` // what makes a kept one superfluous
}

// Asides judges every directory beside the swarm directories of the declared
// hosts, in the order of the hosts.
func Asides(cfg *schema.Config, st *state.State) []Aside {
	var list []Aside
	for _, h := range st.Hosts {
		for _, s := range h.SetAsides {
			a := Aside{Node: h.Name, SetAside: s, Recovery: recoveryOf(h, s.Path)}
			if s.DataOf != "" {
				judgeData(&a, cfg, st)
			} else {
				judgeAside(&a, cfg, st, h)
			}
			list = append(list, a)
		}
	}
	return list
}

// recoveryOf is the recovery that put a directory on a host, by its name.
func recoveryOf(h state.Host, path string) string {
	for _, r := range h.Recoveries {
		if r.Aside == path || r.Staged == path {
			return r.ID
		}
	}
	dir := h.SwarmDir.Path
	for _, base := range []string{dir + ".requeen-", dir + "/.requeen-"} {
		if id, ok := strings.CutPrefix(path, base); ok && dir != "" && !strings.Contains(id, "/") {
			id, _, _ = strings.Cut(strings.TrimSuffix(id, ".new"), ".part.")
			return id
		}
	}
	return ""
}

// judgeAside goes by what would be lost: a set-aside may be the last copy of a
// state until a backup of the swarm that came after it is proved.
func judgeAside(a *Aside, cfg *schema.Config, st *state.State, h state.Host) {
	keep := func(why, remedy string) { a.Why, a.Remedy = why, remedy }
	if a.Recovery == "" {
		keep("no recovery of requeen's put it there, so requeen does not remove it", "Look at what it is, and remove it by hand.")
		return
	}
	for _, r := range h.Recoveries {
		switch {
		case r.ID != a.Recovery:
		case r.Cluster != "" && r.Cluster != cfg.Cluster.Name:
			keep("it is of the cluster "+r.Cluster, "Run requeen host cleanup with that cluster's configuration.")
			return
		case r.Held || r.Phase != state.RecoveryLifted:
			keep(fmt.Sprintf("its recovery is not over on this host (%s)", r.Phase), "requeen plan goes on with it.")
			return
		}
	}
	if st.Swarm == nil || plan.Leader(cfg, st) == "" {
		keep("no leader answers for the swarm: it may be the last copy of its state", "requeen plan says how the swarm comes back.")
		return
	}
	since := begunAt(a.Recovery)
	if at := a.ChangedAt.Add(-h.ClockSkew); !a.ChangedAt.IsZero() && at.After(since) {
		since = at
	}
	b := newestAfter(cfg, st, since)
	switch {
	case b == nil:
		keep(fmt.Sprintf("no verified backup of the swarm as it is now%s is newer than it", epochWords(st.Swarm.Epoch)), "Take one: requeen plan -backup, then apply.")
	case !b.PlainStored && b.OpenedAt.IsZero():
		a.Backup = b.ID
		keep("backup "+b.ID+" is newer, and was never opened with an identity", "requeen backup verify "+b.ID+" opens it.")
	case a.HasRaft && !copied(st, a.Recovery):
		a.Superseded, a.Backup = true, b.ID
		keep("backup "+b.ID+" is newer, but no safety copy has what was set aside: after a restore, or of a manager that came back later, it may hold writes that are nowhere else",
			"Once nothing of it is missed: requeen host cleanup -without-copy.")
	default:
		a.Superfluous, a.Backup = true, b.ID
		a.Why = fmt.Sprintf("backup %s of the swarm as it is now%s is newer, and was opened", b.ID, epochWords(b.Epoch))
	}
}

func epochWords(epoch string) string {
	if epoch == "" {
		return ""
	}
	return " (epoch " + epoch + ")"
}

// begunAt is when a recovery was planned, as its ID says; zero where it doesn't.
func begunAt(id string) time.Time {
	stamp, _, _ := strings.Cut(id, "-")
	t, err := time.Parse("20060102T150405Z", stamp)
	if err != nil {
		return time.Time{}
	}
	return t
}

// newestAfter is the newest backup of the swarm that runs now which was taken
// after a time, one that was opened before one that was not; nil without any. A
// safety copy is of the state before, and never counts.
func newestAfter(cfg *schema.Config, st *state.State, since time.Time) *state.Backup {
	var best *state.Backup
	for i := range st.Repositories {
		list := st.Repositories[i].Backups
		for k := range list {
			b := &list[k]
			if b.Kind != state.KindRegular || b.Cluster != cfg.Cluster.Name || b.SwarmID != st.Swarm.ID || b.Epoch != st.Swarm.Epoch ||
				b.Problem != nil || b.Verified == "" || len(b.Suspect) > 0 || !b.TakenAt.After(since) || b.TakenAt.After(st.ObservedAt) {
				continue
			}
			if best == nil || opens(b) && !opens(best) || opens(b) == opens(best) && b.TakenAt.After(best.TakenAt) {
				best = b
			}
		}
	}
	return best
}

// copied tells whether the recovery stored what its survivor held, which is the
// furthest of all that it set aside: its safety copy's ID ends like its own.
func copied(st *state.State, recovery string) bool {
	at := strings.LastIndexByte(recovery, '-')
	for _, r := range st.Repositories {
		for _, b := range r.Backups {
			if at >= 0 && b.Kind == state.KindSafety && b.SwarmID == st.Swarm.ID && b.Problem == nil && b.Verified != "" && strings.HasSuffix(b.ID, recovery[at:]) {
				return true
			}
		}
	}
	return false
}

func opens(b *state.Backup) bool { return b.PlainStored || !b.OpenedAt.IsZero() }
