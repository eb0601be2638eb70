package plan

import (
	"slices"
	"time"

	"github.com/requeen/requeen/internal/diag"
)

// expiry is for how long a plan that destroys may be begun (safety rule 21).
const expiry = time.Hour

// BegunUntil is until when the plan may be begun; zero where that is not bounded, since
// it destroys nothing.
func (p *Plan) BegunUntil() time.Time {
	if p.Recovery != nil && !p.Recovery.Expires.IsZero() {
		return p.Recovery.Expires
	}
	return p.Expires
}

// expires bounds a plan that destroys and is no recovery's. A step that replaces what is
// in a place counts also where nothing is there now: something may be when it runs.
func (p *planner) expires() {
	destroys := slices.ContainsFunc(p.plan.Steps, func(s Step) bool {
		return s.Risk == Destructive || s.Kind == RestoreVolume && s.DataRestore.Replace
	})
	if destroys && p.plan.BegunUntil().IsZero() {
		p.plan.Expires = p.plan.PlannedAt.Add(expiry)
	}
}

// expired tells of a plan that is too old to be begun. What is begun is finished
// whatever the hour.
func (c *comparison) expired() {
	until := c.plan.BegunUntil()
	if until.IsZero() || !c.st.ObservedAt.After(until) || c.done.Steps > 0 || c.plan.Recovery == nil && c.done.Node != "" {
		return
	}
	c.changes = append(c.changes, Change{Kind: Expired, Remedy: remedy(diag.PlanExpired),
		Text: "The plan destroys, and was good until " + stamp(until) + "."})
}
