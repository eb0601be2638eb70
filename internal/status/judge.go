package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// Judge makes the report. The error is plan's: a mistake of the program.
func Judge(in Input) (*Report, error) {
	p, err := plan.Build(plan.Input{Config: in.Config, State: in.State, Now: in.Now, ToolVersion: in.ToolVersion, Here: in.Here})
	if err != nil {
		return nil, err
	}
	j := &judge{in: in, plan: p, r: &Report{
		FormatVersion: FormatVersion, Cluster: in.Config.Cluster.Name, SwarmID: p.SwarmID, Epoch: p.Epoch,
		ObservedAt: in.State.ObservedAt, Condition: p.Condition, Quorum: plan.Quorum(in.Config, in.State), Leader: plan.Leader(in.Config, in.State),
		UnlockKeyKnown: in.Config.Cluster.UnlockKey.Known(),
		UndecidedUntil: p.UndecidedUntil, Asides: Asides(in.Config, in.State), VolumeHolders: Holders(in.Config, in.State),
		Nodes: []Node{}, Backups: []Backup{}, Repositories: []Repository{}, Unfinished: slices.Clone(in.Unfinished), Findings: []Finding{},
	}}
	if s := in.State.Swarm; s != nil {
		j.r.Autolock = s.Autolock
		j.r.UnlockKeyKnown = j.r.UnlockKeyKnown || s.UnlockKeyKnown
	}
	for _, h := range in.State.Hosts {
		j.r.Autolock = j.r.Autolock || h.SwarmDir.Locked || h.Engine.LocalNodeState == "locked"
	}
	j.swarm()
	j.nodes()
	j.repositories()
	j.backups()
	j.schedules()
	j.keys()
	j.goals()
	j.runs()
	j.settle()
	return j.r, nil
}

type judge struct {
	in   Input
	plan *plan.Plan
	r    *Report
}

func (j *judge) find(s Severity, code, node, text, remedy string) {
	if row, known := diag.Lookup(code); known && remedy == "" && s != Note {
		remedy = row.Remedy
	}
	f := Finding{s, code, node, text, remedy}
	if !slices.Contains(j.r.Findings, f) {
		j.r.Findings = append(j.r.Findings, f)
	}
}

// swarm judges the cluster as a whole.
func (j *judge) swarm() {
	c, q := j.r.Condition, j.r.Quorum
	switch c.Name {
	case plan.Healthy:
	case plan.Unknown:
		j.find(CannotTell, "", "", "The cluster's condition can't be told: "+c.Reason, or(comesBack(j.plan), plan.ByHand(j.in.Config, j.in.State)))
	case plan.Degraded:
		j.find(NeedsHand, "", "", "The cluster is degraded: "+c.Reason, or(comesBack(j.plan), "Bring the missing managers back, as said of each below."))
	default:
		j.find(NeedsHand, diag.NotHealthy, "", fmt.Sprintf("The cluster is %s: %s", c.Name, c.Reason), or(comesBack(j.plan), plan.ByHand(j.in.Config, j.in.State)))
	}
	switch {
	case q.Managers > 0 && q.Managers%2 == 0:
		j.find(Note, "", "", fmt.Sprintf("%d managers: an even number stands no more losses than one less, and has one more machine to lose.", q.Managers), "Run one manager more or one less.")
	case q.Managers == 1:
		j.find(Note, diag.SingleManager, "", "The swarm has one manager: if its host dies, the swarm is gone but for the backups.", "Run three managers, each in a zone of its own.")
	}
	s := j.in.State.Swarm
	if s == nil {
		return
	}
	if s.RootRotating {
		j.find(Note, "", "", "A rotation of the swarm's CA is under way.", "docker swarm ca --rotate on a manager shows how far it is.")
	}
	if s.Autolock && !j.r.UnlockKeyKnown {
		j.find(NeedsHand, diag.NoUnlockKey, "", "The swarm is auto-locked, and neither a manager nor the configuration tells the unlock key.", "Set cluster.unlock_key, for instance to env(\"UNLOCK_KEY\").")
	}
	versions := map[string]bool{}
	for _, n := range s.Nodes {
		if n.Role == schema.RoleManager && n.EngineVersion != "" {
			versions[n.EngineVersion] = true
		}
	}
	if len(versions) > 1 {
		list := make([]string, 0, len(versions))
		for v := range versions {
			list = append(list, v)
		}
		slices.Sort(list)
		j.find(Note, "", "", "The managers run engines of different versions: "+strings.Join(list, ", ")+".", "Bring them to one version, one manager at a time.")
	}
}

// goals takes over what a plan does not reach, and what is not as it is declared until
// its steps have run. What it says of the condition and of backups is judged on its own.
func (j *judge) goals() {
	own := map[string]bool{}
	for _, f := range plan.Freshnesses(j.in.Config, j.in.State, j.in.Now) {
		own[f.Goal] = true
	}
	for _, u := range j.plan.Unmet {
		if u.Code == diag.NotHealthy || own[u.Goal] {
			continue
		}
		j.find(NeedsHand, u.Code, u.Node, u.Reason, u.Remedy)
	}
	for _, u := range plan.Differences(j.in.Config, j.in.State) {
		if !slices.ContainsFunc(j.plan.Unmet, func(o plan.Unmet) bool { return o.Goal == u.Goal }) {
			j.find(NeedsHand, u.Code, u.Node, u.Reason, "requeen apply brings it about; requeen plan shows the steps.")
		}
	}
	for _, h := range j.plan.Hazards {
		if h.Code == diag.UndeclaredManager {
			j.find(NeedsHand, h.Code, h.Node, h.Text, h.Remedy)
		}
	}
}

// runs judges journals on this machine and runs on the hosts.
func (j *judge) runs() {
	for _, u := range j.in.Unfinished {
		if u.Running {
			j.find(Note, diag.UnfinishedRun, "", fmt.Sprintf("A run is at work on this machine for %s (journal %s).", Span(j.in.Now.Sub(u.BeganAt)), u.Dir), "")
			continue
		}
		j.find(NeedsHand, diag.UnfinishedRun, "", fmt.Sprintf("A run that was begun %s is unfinished (journal %s).", ago(j.in.Now, u.BeganAt), u.Dir), "requeen apply finishes it.")
	}
	for _, h := range j.in.State.Hosts {
		for _, run := range h.Runs {
			switch {
			case run.UnitActive:
				j.find(Note, diag.RunInProgress, h.Name, fmt.Sprintf("The run %s is at work on %s (%s).", run.ID, h.Name, run.Phase), "")
			default:
				text := fmt.Sprintf("The run %s left a directory on %s (%s).", run.ID, h.Name, run.Phase)
				if run.TimerArmed {
					text += " Its timer will still start the engine."
				}
				j.find(NeedsHand, diag.UnfinishedRun, h.Name, text, "requeen apply finishes or removes it.")
			}
		}
	}
}

// settle sorts the findings, marks the nodes, and gives the verdict.
func (j *judge) settle() {
	rank := map[Severity]int{NeedsHand: 0, CannotTell: 1, Note: 2}
	slices.SortStableFunc(j.r.Findings, func(a, b Finding) int { return rank[a.Severity] - rank[b.Severity] })
	j.r.Verdict = Fine
	for _, f := range j.r.Findings {
		switch {
		case f.Severity == NeedsHand:
			j.r.Verdict = Attention
		case f.Severity == CannotTell && j.r.Verdict == Fine:
			j.r.Verdict = Unsure
		}
	}
	for i := range j.r.Nodes {
		n := &j.r.Nodes[i]
		n.Fine = !slices.ContainsFunc(j.r.Findings, func(f Finding) bool { return f.Node == n.Name && f.Severity != Note })
	}
}

func (j *judge) repositories() {
	for _, r := range j.in.State.Repositories {
		out := Repository{Name: r.Name, URL: r.URL, Looked: r.Looked == state.Present, Lock: r.Lock}
		if r.Problem != nil {
			out.Problem = r.Problem.Text
			j.find(CannotTell, or(r.Problem.Code, diag.RepositoryUnusable), "", fmt.Sprintf("The repository %s could not be looked at: %s", r.Name, sentence(r.Problem.Text)), r.Problem.Remedy)
		}
		if l := r.Lock; l != nil {
			age := j.in.Now.Sub(l.CreatedAt)
			severity := Note
			if age > j.in.Thresholds.LockAge {
				severity = NeedsHand
			}
			j.find(severity, diag.LockHeld, "", fmt.Sprintf("The lock of repository %s is held by %s for %s.", r.Name, l.Owner, Span(age)),
				"Wait for that run; if its machine is gone for good, requeen force-unlock.")
		}
		j.r.Repositories = append(j.r.Repositories, out)
	}
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func sentence(s string) string { return strings.TrimSuffix(strings.TrimSpace(s), ".") + "." }

// ago is a time in the past, as people say it.
func ago(now, t time.Time) string { return Span(now.Sub(t)) + " ago" }

// Span is a duration in its largest one or two units: "40 s", "3 h 20 min",
// "12 d".
func Span(d time.Duration) string {
	d = d.Abs()
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		if m := int(d.Minutes()) % 60; m != 0 {
			return fmt.Sprintf("%d h %d min", int(d.Hours()), m)
		}
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours())/24)
}
