package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// nodes judges every declared node.
func (j *judge) nodes() {
	for _, ns := range plan.NodeStates(j.in.Config, j.in.State) {
		h := j.in.State.Host(ns.Name)
		if h == nil {
			h = &state.Host{Name: ns.Name}
		}
		n := Node{NodeState: ns, EngineVersion: h.Engine.Version, CertificateExpiry: h.SwarmDir.CertificateExpiry,
			ClockSkewSeconds: h.ClockSkew.Seconds(), DiskFree: h.SwarmDir.FreeBytes, DiskTotal: h.SwarmDir.TotalBytes,
			StartsAtBoot: h.Service.FileState, Holds: h.Service.Holds, SetAsides: h.SetAsides, Recoveries: h.Recoveries, Looked: h.Looked == state.Present}
		for _, r := range h.Runs {
			n.Runs = append(n.Runs, r.ID)
		}
		if m := j.member(ns.NodeID); m != nil {
			n.Availability, n.Labels = m.Availability, m.Labels
			n.EngineVersion = or(n.EngineVersion, m.EngineVersion)
		}
		j.node(n, h)
		j.r.Nodes = append(j.r.Nodes, n)
	}
	slices.SortStableFunc(j.r.Nodes, func(a, b Node) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Name, b.Name))
	})
}

func (j *judge) member(id string) *state.SwarmNode {
	if s := j.in.State.Swarm; s != nil && id != "" {
		for i := range s.Nodes {
			if s.Nodes[i].ID == id {
				return &s.Nodes[i]
			}
		}
	}
	return nil
}

func (j *judge) node(n Node, h *state.Host) {
	j.nodeState(n, h)
	if !n.Looked {
		return
	}
	t := j.in.Thresholds
	if skew := h.ClockSkew; skew.Abs() > t.ClockSkew {
		way := "ahead of"
		if skew < 0 {
			way = "behind"
		}
		j.find(NeedsHand, diag.ClockSkew, n.Name, fmt.Sprintf("The clock of %s is %s %s this machine's.", n.Name, Span(skew), way), "Set the clocks right: timedatectl set-ntp true there and here.")
	}
	if n.Role == schema.RoleManager {
		j.room(n, h)
	}
	j.certificate(n)
	j.start(n, h)
	j.recoveries(h)
}

// nodeState judges what a node is, beyond what the condition says.
func (j *judge) nodeState(n Node, h *state.Host) {
	where := n.Name + " is " + string(n.State) + ": " + n.Reason + "."
	down := n.Status != "" && n.Status != "ready" || n.Reachability != "" && n.Reachability != "reachable"
	switch {
	case n.State == plan.NodeUnknown && h.Target == "none":
		if down {
			j.find(NeedsHand, "", n.Name, n.Name+": "+n.Reason+".", "systemctl start docker on that host.")
		}
	case n.State == plan.NodeUnknown && j.elsewhere(h): // said with the recovery
	case n.State == plan.NodeUnknown:
		code, remedy := "", "Make the host reachable, then look again."
		for _, p := range []*state.Problem{h.Engine.Problem, h.SwarmDir.Problem, h.Problem} {
			if p != nil {
				code, remedy = or(p.Code, code), or(p.Remedy, remedy)
			}
		}
		severity := CannotTell
		if down {
			severity = NeedsHand
		}
		j.find(severity, code, n.Name, where, remedy)
	case n.State == plan.NodeStopped && holder(h) != nil: // said with the recovery
	case n.State == plan.NodeStopped:
		j.find(NeedsHand, "", n.Name, where, j.back(n.Name, "systemctl start docker on "+n.Name+"."))
	case n.State == plan.NodeLocked:
		j.find(NeedsHand, diag.ManagerLeftLocked, n.Name, where, j.back(n.Name, j.led("requeen apply, where a run of requeen left it so; else docker swarm unlock on "+n.Name+".")))
	case (n.State == plan.NodeOrphaned || n.State == plan.NodeDamaged) && holder(h) != nil:
	case n.State == plan.NodeOrphaned, n.State == plan.NodeDamaged:
		j.find(NeedsHand, "", n.Name, where, j.back(n.Name, j.led("Copy its swarm directory aside before anything else; then have it leave (docker swarm leave --force) and join again. If no manager is left, don't: its state may be the last.")))
	case n.State == plan.NodeForeign:
		j.find(NeedsHand, diag.WrongCluster, n.Name, where, "Correct the node's address or connection, or set cluster.id.")
	case n.State == plan.NodeActive && down:
		j.find(NeedsHand, "", n.Name, fmt.Sprintf("%s is %s for the swarm, though its engine runs.", n.Name, strings.Trim(n.Status+" and "+n.Reachability, " and")),
			"Look at the network between the nodes (ports 2377, 7946, 4789), and at journalctl -u docker on "+n.Name+".")
	}
	if h.Looked == state.Present && h.Problem != nil && n.State != plan.NodeUnknown {
		j.find(CannotTell, h.Problem.Code, n.Name, n.Name+": "+sentence(h.Problem.Text), h.Problem.Remedy)
	}
}

// room judges the disk on which a manager's copy is made.
func (j *judge) room(n Node, h *state.Host) {
	if n.DiskTotal == 0 && n.DiskFree == 0 {
		return
	}
	if least := j.in.Thresholds.DiskFree; n.DiskFree < least {
		j.find(NeedsHand, diag.NoRoom, n.Name, fmt.Sprintf("%s has %s free of %s; the threshold is %s, and a copy of its swarm directory needs %s.",
			n.Name, megabytes(n.DiskFree), megabytes(n.DiskTotal), megabytes(least), megabytes(h.SwarmDir.Bytes)), "Free space there: a full disk stops a manager.")
	}
}

// certificate judges how long a node's certificate is still good. Engines renew
// it in the second half of its life, so that one in the last quarter was not.
func (j *judge) certificate(n Node) {
	if n.CertificateExpiry.IsZero() {
		return
	}
	least := j.in.Thresholds.Certificate
	if s := j.in.State.Swarm; s != nil && s.Settings != nil && s.Settings.CertExpiry > 0 {
		least = min(least, s.Settings.CertExpiry/4)
	}
	switch left := n.CertificateExpiry.Sub(j.in.Now); {
	case left <= 0:
		j.find(NeedsHand, "", n.Name, fmt.Sprintf("The certificate of %s expired %s: it can't take part in the swarm.", n.Name, ago(j.in.Now, n.CertificateExpiry)),
			"Set its clock right if that is the cause; else have it leave and join again.")
	case left < least:
		j.find(NeedsHand, "", n.Name, fmt.Sprintf("The certificate of %s is good for %s only: engines renew it long before.", n.Name, Span(left)),
			"journalctl -u docker on "+n.Name+" says why it is not renewed; docker swarm ca --rotate renews all.")
	}
}

// start judges whether the engine comes back after a reboot.
func (j *judge) start(n Node, h *state.Host) {
	unit := or(h.Service.Unit, "docker.service")
	switch n.StartsAtBoot {
	case "masked":
		j.find(NeedsHand, "", n.Name, fmt.Sprintf("%s of %s is masked: the engine can't be started.", unit, n.Name), "systemctl unmask "+unit+" there.")
	case "disabled":
		j.find(NeedsHand, "", n.Name, fmt.Sprintf("%s of %s is disabled: the engine does not come back after a reboot.", unit, n.Name), "systemctl enable "+unit+" there.")
	}
	if held := holder(h); len(n.Holds) > 0 && (held == nil || len(n.Holds) > 1) {
		j.find(NeedsHand, "", n.Name, fmt.Sprintf("The engine of %s is held: it does not start while there is %s.", n.Name, strings.Join(n.Holds, " and ")),
			"Find out what put it there; remove it when that is over.")
	}
}

func megabytes(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}
