package status

import (
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/plan"
)

// keys judges where the keys lie without which no backup opens (safety rule 24).
func (j *judge) keys() {
	for _, r := range j.in.Config.Repositories {
		if node := j.in.Here.IdentityOn[r.Name]; node != "" {
			j.find(Note, diag.IdentityOnNode, node, fmt.Sprintf("The identity of repository %s is read from this machine, which is the node %s of the swarm: what takes that machine takes the key to the backups, too.", r.Name, node),
				"Keep a copy of the identity off the swarm's machines.")
		}
		if why := j.in.Here.CannotSign[r.Name]; why != "" {
			j.find(Note, diag.NoSignKey, "", fmt.Sprintf("No backup can be made from here for repository %s, since it could not be signed: %s", r.Name, sentence(why)), "Set sign_key where apply makes backups.")
		}
	}
	if plan.UnlockKeyNowhere(j.in.Config, j.in.State) {
		j.find(NeedsHand, diag.UnlockKeyNowhere, "", "The swarm is auto-locked, and its unlock key is, as far as the configuration says, known to the live managers alone: once all of them stop, no manager opens again, and no backup can be restored.", "")
	}
}
