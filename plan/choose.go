package plan

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/schema"
)

// choice is the manager that a backup stops, and why it is that one.
type choice struct {
	voter  *voter
	reason string
}

// choose picks the manager to stop for a backup, or says why none can be.
func (p *planner) choose(n *need) (choice, *Unmet) {
	if n.block.From != "" && n.block.From != schema.FromFollower {
		return p.named(n)
	}
	if u := p.quorumLost(n); u != nil {
		return choice{}, u
	}
	var fit []*voter
	var others, codes []string
	for _, v := range p.byLabel() {
		o := p.obstacle(v)
		switch {
		case v.leader && len(p.w.voters) > 1:
			others = append(others, v.label()+" is the leader")
		case o.code != "":
			others = append(others, v.label()+" "+o.text)
			codes = append(codes, o.code)
		default:
			fit = append(fit, v)
		}
	}
	if len(fit) == 0 {
		return choice{}, p.nobody(n, others, codes)
	}
	sort.SliceStable(fit, func(i, j int) bool { return preferred(fit[i], fit[j]) })
	return choice{fit[0], whyThis(fit, others, len(p.w.voters))}, nil
}

// preferred orders candidates: those that were there all the time, fewest running tasks,
// drained, name.
func preferred(a, b *voter) bool {
	if a.node.back != b.node.back {
		return b.node.back
	}
	if a.member.RunningTasks != b.member.RunningTasks {
		return a.member.RunningTasks < b.member.RunningTasks
	}
	if drained(a) != drained(b) {
		return drained(a)
	}
	return a.label() < b.label()
}

func drained(v *voter) bool { return v.member.Availability == "drain" }

func (p *planner) byLabel() []*voter {
	list := append([]*voter(nil), p.w.voters...)
	sort.SliceStable(list, func(i, j int) bool { return list[i].label() < list[j].label() })
	return list
}

func whyThis(fit []*voter, others []string, voters int) string {
	v := fit[0]
	if voters == 1 {
		return v.label() + " is the only manager"
	}
	what := "is a follower that " + runs(v)
	if drained(v) {
		what = "is a drained follower that " + runs(v)
	}
	why := []string{v.label() + " " + what}
	for _, o := range fit[1:] {
		if o.node.back && !v.node.back {
			why = append(why, o.label()+" has only just come back by then")
		} else if o.member.RunningTasks == v.member.RunningTasks && drained(o) == drained(v) {
			why = append(why, o.label()+" would do as well")
		} else {
			why = append(why, o.label()+" "+runs(o))
		}
	}
	return strings.Join(append(why, others...), "; ")
}

func runs(v *voter) string {
	return "runs " + tasks(v.member.RunningTasks)
}

func tasks(n int) string {
	if n == 0 {
		return "no tasks"
	}
	return counted(n, "task", "tasks")
}

// quorumLost refuses a stop that the others would not outlive.
func (p *planner) quorumLost(n *need) *Unmet {
	total, up := len(p.w.voters), upCount(p.w.voters)
	need := majority(total)
	if total <= 1 || up-1 >= need {
		return nil
	}
	var down []*voter
	for _, v := range p.w.voters {
		if !v.up {
			down = append(down, v)
		}
	}
	way := "Bring " + listing(labels(down)) + " back first, then plan again."
	if len(down) == 0 {
		way = fmt.Sprintf("A swarm of %d managers can spare none: promote one more for three, or demote one and run a single manager.", total)
	}
	return &Unmet{Code: diag.QuorumWouldBeLost, Goal: n.goal(),
		Reason: sentence(fmt.Sprintf("%s. The swarm has %s, %d reachable, and needs %d; with one stopped %d would be left",
			sentenceCase(n.reason), counted(total, "manager", "managers"), up, need, up-1)),
		Remedy: way}
}

// named takes the manager that the configuration names, or refuses.
func (p *planner) named(n *need) (choice, *Unmet) {
	name := n.block.From
	declared := p.w.node(name)
	refuse := func(code, text, fix string) (choice, *Unmet) {
		code = refusal(code)
		return choice{}, &Unmet{Code: code, Goal: n.goal(), Node: name, Reason: sentence(text), Remedy: or(fix, remedy(code))}
	}
	if declared == nil {
		return refuse(diag.NoCandidate, fmt.Sprintf("swarm { from } names %s, which is not declared", name), "")
	}
	if declared.doubt != nil {
		return refuse(declared.doubt.Code, fmt.Sprintf("swarm { from } names %s, which is in doubt: %s", name, declared.doubt.Reason), declared.doubt.Remedy)
	}
	v := p.w.voterOf(declared)
	if v == nil {
		return refuse(diag.NoCandidate, fmt.Sprintf("swarm { from } names %s, which is no manager of the swarm: it is %s (%s)",
			name, declared.state.State, declared.state.Reason), "")
	}
	if v.leader && len(p.w.voters) > 1 {
		return refuse(diag.LeaderNamed, fmt.Sprintf("swarm { from } names %s, which leads now, and %s could be stopped instead without an election",
			name, listing(labels(without(p.w.voters, v)))), "")
	}
	if o := p.obstacle(v); o.code != "" {
		return refuse(o.code, name+", which swarm { from } names, "+o.text, "")
	}
	if u := p.quorumLost(n); u != nil {
		return choice{}, u
	}
	if len(p.w.voters) == 1 {
		return choice{v, name + " is the only manager, and swarm { from } names it"}, nil
	}
	return choice{v, fmt.Sprintf("swarm { from } names %s, a follower that %s", name, runs(v))}, nil
}

// refusal is the code of an unmet goal: one of the class, else that of no
// candidate.
func refusal(code string) string {
	if c, _ := diag.Lookup(code); c.Class == diag.Refusal {
		return code
	}
	return diag.NoCandidate
}

func without(list []*voter, v *voter) []*voter {
	var rest []*voter
	for _, o := range list {
		if o != v {
			rest = append(rest, o)
		}
	}
	return rest
}

// nobody is the goal of a backup for which no manager can be stopped. Where one
// thing is in the way of all, it gives the code.
func (p *planner) nobody(n *need, why, codes []string) *Unmet {
	code := diag.NoCandidate
	if len(codes) > 0 && len(slices.Compact(codes)) == 1 {
		code = refusal(codes[0])
	}
	for _, m := range p.w.managers() {
		if p.w.voterOf(m) == nil {
			why = append(why, fmt.Sprintf("%s is no manager of the swarm: it is %s (%s)", m.cfg.Name, m.state.State, m.state.Reason))
		}
	}
	return &Unmet{Code: code, Goal: n.goal(),
		Reason: sentence(fmt.Sprintf("%s. No manager can be stopped for it: %s", sentenceCase(n.reason), strings.Join(trimmed(why), "; "))),
		Remedy: remedy(code)}
}

// trimmed takes the full stops off what is joined into one sentence.
func trimmed(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.TrimSuffix(s, ".")
	}
	return out
}

func sentenceCase(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
