package plan

import (
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// resumeLeft gives services their scale back that a run was cut before it could: what
// they are to have stands in the swarm, whoever began the run and wherever its journal
// is. A run that is at work holds the lock of its repository, without which the step
// does not begin. Services whose data is still to be restored wait for that.
func (p *planner) resumeLeft() {
	names := p.atRest()
	if len(names) == 0 || p.in.Restore != "" {
		return
	}
	via := p.w.node(p.w.st.Swarm.SeenFrom)
	if via == nil || via.doubt != nil || via.host.Looked != state.Present {
		via = p.talking()
	}
	if via == nil {
		p.unmet(Unmet{Code: diag.LeftoverStuck, Goal: "give back the scale of " + listing(names),
			Reason: sentence(fmt.Sprintf("A run that was cut left %s at rest, and no manager can be reached through which the swarm could be told to scale %s back", listing(names), itThem(len(names)))),
			Remedy: fmt.Sprintf("Make the host of a manager reachable, then plan again; or type on a manager, for each: docker service update --label-rm %s --replicas N NAME, with the number that the label has (of a global service, --constraint-rm %s in place of --replicas).",
				state.ScaleLabel, state.ScaleConstraint)})
		return
	}
	repository := ""
	if !p.in.NoLock {
		repository = p.dataRepository()
	}
	p.add(via, Step{Kind: Resume, Repository: repository, Data: &DataWork{Services: names}, Risk: Safe, TimeoutSeconds: seconds(resumeTimeout),
		Reason: sentence(fmt.Sprintf("A run that was cut left %s at rest: %s the scale that the label %s records",
			listing(names), getsBack(len(names)), state.ScaleLabel))})
}

func itThem(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

func getsBack(n int) string {
	if n == 1 {
		return "it gets"
	}
	return "they get"
}

// atRest are the services that carry ScaleLabel and wait for no data.
func (p *planner) atRest() []string {
	if p.w.st.Swarm == nil {
		return nil
	}
	var names []string
	for _, s := range p.w.st.Swarm.Services {
		if s.Scale != "" && s.Waits == "" {
			names = append(names, s.Name)
		}
	}
	return names
}

// dataRepository is the repository whose lock a run that reads data holds: of the first
// backup with data, else of the first; one that can be used where there is one.
func (p *planner) dataRepository() string {
	var names, others []string
	for _, b := range sortedBackups(p.w.cfg) {
		if len(b.Data) > 0 {
			names = append(names, b.Places()...)
		} else {
			others = append(others, b.Places()...)
		}
	}
	if len(names) == 0 { // the lock of another's repository would keep nobody away
		names = others
	}
	for _, name := range names {
		if r := p.w.st.Repository(name); r != nil && r.Looked == state.Present {
			return name
		}
	}
	if len(names) == 0 {
		return ""
	}
	return names[0]
}
