package plan

import (
	"fmt"

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
	if via == nil {
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
// backup with data, else of the first.
func (p *planner) dataRepository() string {
	first := ""
	for _, b := range sortedBackups(p.w.cfg) {
		if first == "" {
			first = b.Repository
		}
		if len(b.Data) > 0 {
			return b.Repository
		}
	}
	return first
}
