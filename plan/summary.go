package plan

import (
	"fmt"
	"strings"

	"github.com/requeen/requeen/schema"
)

// kindWords say in one word or two what a kind of step does.
var kindWords = map[Kind]string{Stop: "stop", Archive: "copy", Start: "start", Unlock: "unlock", Verify: "verify", CleanUp: "clean up",
	Retain: "retain volumes on", Hold: "hold", Save: "save", Prepare: "prepare", Fence: "fence", Restore: "restore", Init: "init", Join: "join",
	RemoveNode: "remove", UpdateNode: "update", Await: "await", RotateJoinTokens: "rotate join tokens by",
	RotateUnlockKey: "rotate unlock key by", Check: "check by",
	Promote: "promote", Demote: "demote", Leave: "take out", UpdateSwarm: "update the swarm's settings by", Rebalance: "spread", PruneBackups: "prune", CopyBackup: "copy to",
	PutSchedule: "schedule", TakeSchedule: "unschedule", Quiesce: "quiesce", ArchiveData: "read", Resume: "resume"}

// summary is the plan in one line.
func (p *planner) summary(needs []*need) string {
	var parts []string
	for _, n := range needs {
		if n.met {
			parts = append(parts, p.summarize(n))
		}
	}
	if len(parts) > 1 {
		parts = []string{fmt.Sprintf("%d backups: %s", len(parts), strings.Join(parts, "; "))}
	} else if len(parts) == 1 {
		parts = []string{"1 backup: " + parts[0]}
	}
	if text := p.recoverySummary(); text != "" {
		parts = append(parts, text)
	}
	if text := p.dataSummary(); text != "" {
		parts = append(parts, text)
	}
	if text := p.leftSteps(needs); text != "" {
		parts = append(parts, text)
	}
	if text := p.shapeSummary(); text != "" {
		parts = append(parts, text)
	}
	if text := p.copySummary(needs); text != "" {
		parts = append(parts, text)
	}
	if text := p.pruneSummary(); text != "" {
		parts = append(parts, text)
	}
	if text := p.scheduleSummary(); text != "" {
		parts = append(parts, text)
	}
	if len(parts) > 0 && p.plan.Recovery == nil {
		parts = append(parts, p.kept())
	}
	others := p.plan.Unmet[:len(p.plan.Unmet)-len(p.differs)]
	if n := len(others); n > 0 {
		parts = append(parts, fmt.Sprintf("%s not reached (%s)", counted(n, "goal", "goals"), strings.Join(codesOf(others), ", ")))
	}
	if n := len(p.differs); n > 0 {
		parts = append(parts, fmt.Sprintf("%s from what is declared (%s)", counted(n, "difference", "differences"), strings.Join(codesOf(p.differs), ", ")))
	}
	switch {
	case len(parts) > 0:
		return strings.Join(parts, "; ")
	case p.in.Prune:
		return "no backup is to be removed"
	case len(needs) == 0:
		return "nothing to do: no backup is declared"
	}
	return "nothing to do: " + counted(len(needs), "backup is", "backups are") + " fresh"
}

// summarize says what is done for one backup: "stop m2, copy, start, verify
// into local".
func (p *planner) summarize(n *need) string {
	var words []string
	node := ""
	for _, s := range p.plan.Steps {
		if !partOf(s, n) {
			continue
		}
		if s.Data != nil {
			words = append(words, s.Data.words(s.Kind))
			continue
		}
		word := kindWords[s.Kind]
		if s.Node != node {
			word += " " + s.Node
			node = s.Node
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ") + " into " + p.intoWords(n)
}

// partOf tells whether a step leads to a backup.
func partOf(s Step, n *need) bool {
	return n.met && s.Backup == n.block.Name && s.Run == n.adopted && s.Kind != CleanUp && !s.OnRepository()
}

// leftSteps names what is done about cut runs beside a backup.
func (p *planner) leftSteps(needs []*need) string {
	var words []string
	for _, s := range p.plan.Steps {
		part := s.Recovery != "" || s.DataRestore != nil || s.Shapes() || s.OnRepository() || s.Schedules()
		for _, n := range needs {
			part = part || partOf(s, n)
		}
		switch {
		case part:
		case s.Data != nil:
			words = append(words, s.Data.words(s.Kind))
		default:
			words = append(words, kindWords[s.Kind]+" "+s.Node)
		}
	}
	if len(words) == 0 {
		return ""
	}
	return "after a cut run: " + strings.Join(words, ", ")
}

// kept says how near the plan comes to the quorum.
func (p *planner) kept() string {
	lowest := p.plan.Steps[0].Margin
	stops, alone, counts := false, false, false
	for _, s := range p.plan.Steps {
		if s.Margin.Spare < lowest.Spare {
			lowest = s.Margin
		}
		stops = stops || s.Kind == Stop
		alone = alone || s.Kind == Stop && s.Margin.Managers == 1
		counts = counts || s.Kind == Demote || s.Kind == Promote || s.Shapes() && s.Kind == Join && s.Join.Role == schema.RoleManager
	}
	switch {
	case alone:
		return "the only manager is down meanwhile"
	case !stops && !counts:
		return "no manager is stopped"
	}
	return fmt.Sprintf("quorum %d of %d kept with %d to spare", lowest.Quorum, lowest.Managers, lowest.Spare)
}

// codesOf are the codes of unmet goals, each once.
func codesOf(list []Unmet) []string {
	var codes []string
	for _, u := range list {
		if !contains(codes, u.Code) {
			codes = append(codes, u.Code)
		}
	}
	return codes
}

// recoverySummary names what is brought back, and the steps in their order.
func (p *planner) recoverySummary() string {
	r := p.plan.Recovery
	if r == nil {
		return ""
	}
	var words []string
	for _, s := range p.plan.Steps {
		word := kindWords[s.Kind] + " " + listing(append([]string{s.Node}, s.With...))
		if s.Recovery != "" && (len(words) == 0 || words[len(words)-1] != word) {
			words = append(words, word)
		}
	}
	what := map[Rung]string{
		RungStart: "1 recovery, by what is there: ", RungForce: "1 recovery, out of " + r.Node + ": ",
		RungRestore: "1 recovery, out of backup " + r.Backup + ": ", RungGrow: "managers come back: ",
	}[r.Rung]
	m := p.plan.Steps[len(p.plan.Steps)-1].Margin
	return fmt.Sprintf("%s%s; then %d of %d managers, quorum %d", what, strings.Join(words, ", "), m.Up, m.Managers, m.Quorum)
}
