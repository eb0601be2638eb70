package plan

import (
	"fmt"
	"time"

	"github.com/requeen/requeen/schema"
)

// How long steps may take, their waits included. The copy's is the node's
// down_max: then its host starts the engine by itself.
const (
	stopTimeout    = 60 * time.Second
	startTimeout   = 120 * time.Second
	unlockTimeout  = 120 * time.Second
	verifyTimeout  = 3600 * time.Second
	cleanUpTimeout = 60 * time.Second
)

func seconds(d time.Duration) int { return int(d / time.Second) }

func downMax(n *node) time.Duration {
	if n.cfg.Engine.DownMax > 0 {
		return n.cfg.Engine.DownMax
	}
	return schema.DefaultDownMax
}

// backupSteps are a new backup's steps on the chosen manager.
func (p *planner) backupSteps(n *need, c choice) {
	node, name := c.voter.node, c.voter.node.cfg.Name
	step := func(kind Kind, risk Risk, timeout time.Duration, reason string) {
		p.add(node, Step{Kind: kind, Backup: n.block.Name, Repository: n.block.Repository, Risk: risk,
			TimeoutSeconds: seconds(timeout), Reason: sentence(reason)})
	}
	step(Stop, Interrupts, stopTimeout, fmt.Sprintf("Backup %s is due: %s. Only a stopped manager's directory is sure to be whole. The choice: %s",
		n.block.Name, n.reason, c.reason))
	step(Archive, Safe, downMax(node), fmt.Sprintf("The swarm directory (%s) is copied on %s's own disk; hashing, encrypting and uploading wait until the engine runs again",
		room(node.host.SwarmDir.Bytes), name))
	back := fmt.Sprintf("%s comes back. Its own host starts it after %s in any case, even if requeen is cut off", name, span(downMax(node)))
	if p.w.autolocked(node) {
		step(Start, Safe, startTimeout, back+"; the swarm is auto-locked, so it waits for its key")
		step(Unlock, Safe, unlockTimeout, p.unlockReason(name))
	} else {
		step(Start, Safe, startTimeout, back)
	}
	step(Verify, Safe, verifyTimeout, p.verifyReason(n, name))
}

func (p *planner) unlockReason(name string) string {
	from := "cluster.unlock_key"
	if p.w.st.Swarm != nil && p.w.st.Swarm.UnlockKeyKnown {
		from = "a live manager"
	}
	return fmt.Sprintf("The swarm is auto-locked: %s takes part in it again once it has the unlock key, which %s tells", name, from)
}

func (p *planner) verifyReason(n *need, name string) string {
	how := "stored in clear"
	if r := p.w.cfg.Repository(n.block.Repository); r != nil && !r.Plaintext {
		how = "encrypted to " + counted(len(r.Recipients), "recipient", "recipients") + " and stored"
	}
	return fmt.Sprintf("A copy that was not read is no backup: it is opened, its log read without a gap and its objects counted; then it is %s in repository %s, and removed from %s",
		how, n.block.Repository, name)
}
