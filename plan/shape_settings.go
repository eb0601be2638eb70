package plan

import (
	"fmt"

	"github.com/requeen/requeen/internal/diag"
)

// updateSwarm plans the swarm's settings and auto-lock in one step, first of all: a
// manager that joins later is sealed from its first start.
func (s *shaping) updateSwarm() {
	c, parts, goals := s.w.swarmChange()
	if u := s.w.tooFewTicks(); u != nil {
		s.refuse(goalSettings, "", *u)
		c, parts, goals = SwarmChange{Autolock: c.Autolock}, nil, nil
		if on := c.Autolock; on != nil {
			parts, goals = []string{"auto-lock " + onOff(*on)}, []string{goalAutolock(*on)}
		}
	}
	if len(parts) == 0 || !s.wantsNode("") {
		return
	}
	via := s.through()
	if via == nil {
		for _, goal := range goals {
			s.refuse(goal, "", Unmet{Code: diag.SwarmDiffers,
				Reason: sentenceCase(sentence(listing(parts))) + " No declared manager that is up can be reached to ask for it.",
				Remedy: "Make the host of a manager reachable, then plan again."})
		}
		return
	}
	step := Step{Kind: UpdateSwarm, Risk: Safe, TimeoutSeconds: seconds(nodeTimeout), Settings: &c}
	end := ""
	if c.Autolock != nil {
		step.Risk = Interrupts
		end = ". Managers that start from then on need no key"
		if *c.Autolock {
			step.TimeoutSeconds = seconds(keyTimeout)
			end = ". A manager that starts from then on waits for the unlock key, which the swarm makes"
			if to, _ := s.keyTo(); to != nil {
				step.KeyTo = to
				end += "; it " + to.words()
			}
		}
	}
	for _, goal := range goals {
		s.reached[goal] = true
	}
	s.on(via, step, "The swarm is to have what is declared: %s. The other settings stay%s", listing(parts), end)
}

// swarmChange is what the swarm's spec is to have, in words too, and the goals of the
// differences that it reaches.
func (w *world) swarmChange() (c SwarmChange, parts, goals []string) {
	want, have := w.cfg.Cluster.Settings, w.st.Swarm.Settings
	if on := w.cfg.Cluster.Autolock; on != nil && *on != w.st.Swarm.Autolock {
		c.Autolock = on
		parts, goals = append(parts, "auto-lock "+onOff(*on)), append(goals, goalAutolock(*on))
	}
	if have == nil {
		return c, parts, goals
	}
	list := w.settings()
	for _, d := range list {
		parts = append(parts, fmt.Sprintf("%s %s (now %s)", d.name, d.want, d.have))
	}
	if len(list) > 0 {
		goals = append(goals, goalSettings)
	}
	c.TaskHistoryLimit = differing(want.TaskHistoryLimit, have.TaskHistoryLimit)
	c.CertExpiry = differing(want.CertExpiry, have.CertExpiry)
	c.SnapshotInterval = differing(want.SnapshotInterval, have.SnapshotInterval)
	c.LogEntriesForSlowFollowers = differing(want.LogEntriesForSlowFollowers, have.LogEntriesForSlowFollowers)
	c.HeartbeatTick = differing(want.HeartbeatTick, have.HeartbeatTick)
	c.ElectionTick = differing(want.ElectionTick, have.ElectionTick)
	c.DispatcherHeartbeat = differing(want.DispatcherHeartbeat, have.DispatcherHeartbeat)
	return c, parts, goals
}

// tooFewTicks refuses settings with which managers would elect a new leader before the
// old one could be heard; where both are declared, the configuration is refused before.
func (w *world) tooFewTicks() *Unmet {
	want, have := w.cfg.Cluster.Settings, w.st.Swarm.Settings
	if have == nil || want.HeartbeatTick == nil && want.ElectionTick == nil {
		return nil
	}
	heartbeat, election := have.HeartbeatTick, have.ElectionTick
	if want.HeartbeatTick != nil {
		heartbeat = *want.HeartbeatTick
	}
	if want.ElectionTick != nil {
		election = *want.ElectionTick
	}
	if election > heartbeat {
		return nil
	}
	return &Unmet{Code: diag.SwarmDiffers, Remedy: "Declare both, election_tick the larger one; ten times heartbeat_tick is usual.",
		Reason: fmt.Sprintf("With what is declared, election_tick would be %d and heartbeat_tick %d: managers would elect a new leader before the old one could be heard. No setting is changed.", election, heartbeat)}
}

// differing is what is declared where the swarm has another value, nil else.
func differing[T comparable](want *T, have T) *T {
	if want == nil || *want == have {
		return nil
	}
	value := *want
	return &value
}
