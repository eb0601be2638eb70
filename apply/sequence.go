package apply

import (
	"fmt"

	"github.com/requeen/requeen/plan"
)

// sequence is the steps of a plan that share one run on a host: stop, archive,
// start, unlock and verify of a backup, or what an earlier run left.
type sequence struct {
	own bool // of this plan; false: an earlier run's
	// recovery tells that it is a recovery's step, which stands by itself: such
	// sequences are in no list of those to settle or to bring back.
	recovery bool
	// shape tells that it is a step that changes the cluster's shape, which stands by
	// itself too.
	shape bool
	// restores tells that it is a step of a restore of data, which stands by itself too.
	restores bool
	// onData tells that its steps are on the applications' data; of is the backup that
	// they belong to, nil where they only bring services back. data are those of a backup.
	onData bool
	of     *sequence
	data   []*sequence

	steps []plan.Step
	id    string // the backup's ID; "" until an own sequence's stop is intended
	facts facts

	met     bool // its goal was reached before it began: by somebody else, or a recovery's by an earlier try
	onHost  bool // an earlier try's run is on the host
	gone    bool // stored, and the host has nothing of it any more
	refused bool // the host did not take it over: nothing was stopped
}

// sequences groups a plan's steps and refuses what apply could not run.
func sequences(p *plan.Plan) ([]*sequence, map[int]*sequence, error) {
	var list []*sequence
	byStep := map[int]*sequence{}
	var data dataSequences
	for _, s := range p.Steps {
		if _, ok := kindOfStep(s); !ok || s.Recovery != "" && (p.Recovery == nil || p.Recovery.ID != s.Recovery) {
			return nil, nil, fmt.Errorf("step %d: this version of requeen can't run a step of kind %q", s.ID, s.Kind)
		}
		if s.DataRestore != nil {
			if err := dataPayload(s); err != nil {
				return nil, nil, err
			}
			byStep[s.ID] = &sequence{restores: true, steps: []plan.Step{s}}
			continue
		}
		if s.Recovery != "" {
			byStep[s.ID] = &sequence{recovery: true, id: s.Recovery, steps: []plan.Step{s}}
			continue
		}
		if isData(s) {
			q, err := data.add(s)
			if err != nil {
				return nil, nil, err
			}
			byStep[s.ID] = q
			continue
		}
		if s.Shapes() {
			if err := payload(s); err != nil {
				return nil, nil, err
			}
			byStep[s.ID] = &sequence{shape: true, steps: []plan.Step{s}}
			continue
		}
		if s.Kind == plan.PruneBackups {
			if s.Prune == nil || s.Repository == "" || s.Backup == "" || p.SwarmID == "" {
				return nil, nil, fmt.Errorf("step %d (%s) does not say which backups of which swarm it removes", s.ID, s.Kind)
			}
			byStep[s.ID] = &sequence{steps: []plan.Step{s}}
			continue
		}
		if s.Kind == plan.CopyBackup {
			if s.Copy == nil || s.Copy.From == "" || s.Repository == "" || s.Backup == "" || p.SwarmID == "" {
				return nil, nil, fmt.Errorf("step %d (%s) does not say what of which swarm it copies", s.ID, s.Kind)
			}
			byStep[s.ID] = &sequence{steps: []plan.Step{s}}
			continue
		}
		if s.Schedules() {
			q, err := scheduleSequence(s)
			if err != nil {
				return nil, nil, err
			}
			byStep[s.ID] = q
			continue
		}
		q := findSequence(list, s)
		if q == nil {
			if s.Run == "" && s.Kind != plan.Stop {
				return nil, nil, fmt.Errorf("step %d (%s %s): no stop step comes before it", s.ID, s.Kind, s.Node)
			}
			q = &sequence{own: s.Run == "", id: s.Run}
			list = append(list, q)
		}
		q.steps = append(q.steps, s)
		byStep[s.ID] = q
	}
	if err := data.link(list); err != nil {
		return nil, nil, err
	}
	return list, byStep, nil
}

// findSequence finds the latest sequence that the step belongs to.
func findSequence(list []*sequence, s plan.Step) *sequence {
	if s.Run == "" && s.Kind == plan.Stop {
		return nil
	}
	for i := len(list) - 1; i >= 0; i-- {
		q := list[i]
		if q.first().Node != s.Node {
			continue
		}
		if s.Run != "" && q.id == s.Run || s.Run == "" && q.own && q.first().Backup == s.Backup {
			return q
		}
	}
	return nil
}

// metBy says how the goal of a sequence was reached before it began.
func (q *sequence) metBy() string {
	if q.restores {
		return "these data were restored already"
	}
	if q.recovery {
		return "this recovery was carried out already, and its swarm answers"
	}
	return "a backup that is young enough is in the repository"
}

func (q *sequence) first() plan.Step { return q.steps[0] }

func (q *sequence) step(k plan.Kind) (plan.Step, bool) {
	for _, s := range q.steps {
		if s.Kind == k {
			return s, true
		}
	}
	return plan.Step{}, false
}

// ids are the steps of the sequence that begins with the step, in order.
func ids(list []*sequence, first int) []int {
	for _, q := range list {
		for _, d := range q.data {
			if d.first().ID == first {
				return ids([]*sequence{d}, first)
			}
		}
		if q.first().ID != first {
			continue
		}
		out := make([]int, len(q.steps))
		for i, s := range q.steps {
			out[i] = s.ID
		}
		for _, d := range q.data {
			for _, s := range d.steps {
				out = append(out, s.ID)
			}
		}
		return out
	}
	return nil
}
