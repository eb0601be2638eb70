package plan

// checks plans the commands of recovery.verify, each a step of its own, so that a
// run that one of them ended goes on with it. They come after everything that the
// recovery changes, which is what they judge, and before the fresh backup: no
// manager is stopped again in a swarm that does not serve.
func (p *planner) checks() {
	from := p.checkedFrom()
	if from == nil {
		return
	}
	for _, command := range p.w.rules().Verify {
		s := p.step(from, Check, Safe, checkTimeout, "Before the recovery counts as done this has to succeed, run where requeen runs: `%s`", command)
		s.Command = command
	}
}

// checkedFrom is the manager that the commands are told of: the one out of which
// the cluster is made, else the last that comes back; nil where nothing does.
func (p *planner) checkedFrom() *node {
	r := p.plan.Recovery
	if r == nil {
		return nil
	}
	var last *node
	for _, s := range p.plan.Steps {
		n := p.w.node(s.Node)
		if s.Recovery != "" && (last == nil || n.manager()) {
			last = n
		}
	}
	if last != nil && r.Node != "" {
		return p.w.node(r.Node)
	}
	return last
}
