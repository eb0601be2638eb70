package plan

import (
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// ownRecoveries leaves a node those of its host's recoveries that are this
// cluster's: what another cluster's has begun, held or let go says nothing here, and
// only a plan of that cluster may let go what it holds. The observation stays as it
// is.
func (n *node) ownRecoveries(cluster string) {
	var own []state.HostRecovery
	for _, r := range n.host.Recoveries {
		switch {
		case r.Cluster == "" || r.Cluster == cluster:
			own = append(own, r)
		case r.Held:
			held := r
			n.elsewhere = &held
		}
	}
	n.host.Recoveries = own
}

// elsewhereDoubt keeps every step off a host that another cluster's recovery holds:
// two hold files keep its engine down, and each is lifted by its own recovery.
func elsewhereDoubt(n *node) *Unmet {
	r := n.elsewhere
	return &Unmet{Code: diag.LeftoverStuck, Goal: fmt.Sprintf("let the host of %s go", n.cfg.Name), Node: n.cfg.Name,
		Reason: fmt.Sprintf("The recovery %s of the cluster %q, which was cut in phase %s, holds the engine of %s (%s). Only a plan of that cluster lets it go, so nothing is planned on it.",
			r.ID, r.Cluster, r.Phase, n.cfg.Name, n.cfg.Address),
		Remedy: fmt.Sprintf("If %s belongs to the cluster %q, take its node block out of this configuration; else finish that recovery with the configuration of %q (requeen plan, requeen apply), then plan again.", n.cfg.Name, r.Cluster, r.Cluster)}
}
