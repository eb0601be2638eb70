package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/requeen/requeen/plan"
)

// dataSequences puts the data steps of a plan into sequences: of a backup a quiesce step
// with what follows up to its resume step, and a reading alone where nothing is brought to
// rest. They are in no list of the sequences to settle: data is read anew after a cut.
type dataSequences struct {
	list []*sequence
	open *sequence
}

func (d *dataSequences) add(s plan.Step) (*sequence, error) {
	if s.Data == nil || s.Kind == plan.ArchiveData && (s.Backup == "" || len(s.Data.Sources) == 0) {
		return nil, fmt.Errorf("step %d (%s) does not say of what it is", s.ID, s.Kind)
	}
	if d.open == nil || s.Kind == plan.Quiesce || s.Backup != d.open.first().Backup || s.Kind == plan.ArchiveData && d.open.archive() != 0 {
		d.open = &sequence{onData: true}
		d.list = append(d.list, d.open)
	}
	q := d.open
	q.steps = append(q.steps, s)
	if s.Kind == plan.Resume {
		d.open = nil
	}
	return q, nil
}

// link joins them to the backups that they belong to.
func (d *dataSequences) link(backups []*sequence) error {
	for _, q := range d.list {
		if q.first().Backup == "" {
			continue
		}
		for _, b := range backups {
			if b.own && b.first().Backup == q.first().Backup {
				q.of, b.data = b, append(b.data, q)
			}
		}
		if q.of == nil {
			return fmt.Errorf("step %d (%s): no backup %s follows", q.first().ID, q.first().Kind, q.first().Backup)
		}
	}
	return nil
}

// archive is the ID of the step that reads, 0 where there is none.
func (q *sequence) archive() int {
	s, _ := q.step(plan.ArchiveData)
	return s.ID
}

// shareID gives the data of a backup the backup's ID.
func (q *sequence) shareID() {
	for _, d := range q.data {
		d.id = q.id
	}
}

// recallID takes the ID of a backup of which no more than data was read before a cut.
func (r *runner) recallID(q *sequence) {
	for _, d := range q.data {
		for _, s := range d.steps {
			if in, ok := r.j.progress.intents[s.ID]; ok && q.id == "" {
				q.id = in.Run
			}
		}
	}
	q.shareID()
}

// dataPatience is how old the data of a backup may be when its manager is stopped: what
// a try has read that was cut before that is read anew.
const dataPatience = time.Hour

// rereadOld forgets what was read too long before the stop that is still to come.
func (r *runner) rereadOld(q *sequence) error {
	if r.begun(q) {
		return nil
	}
	for _, d := range q.data {
		for _, stored := range r.j.progress.data[d.archive()] {
			if at := stored.Data.TakenAt; !at.IsZero() && r.Clock.Now().Sub(at) > dataPatience {
				r.note(d.first(), "reads %s anew: it was read at %s, and the backup's manager is still to be stopped", stored.Data.ID(), clock(at))
				if err := r.task(d.first()).record(record{Type: recRestart}); err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}

// skipsData tells of a step on data that its backup was made by somebody else meanwhile;
// what was brought to rest is brought back all the same.
func (r *runner) skipsData(q *sequence, s plan.Step) bool {
	return q.of != nil && q.of.met && (s.Kind != plan.Resume || !r.begun(q))
}

// dataSeen is what a reading came to, in a sentence.
func (q *sequence) dataSeen(have map[string]StoredData) string {
	stored, files, bytes := 0, int64(0), int64(0)
	for _, d := range have {
		if !d.Data.Missing {
			stored, files, bytes = stored+1, files+d.Data.Files, bytes+d.Data.Bytes
		}
	}
	return fmt.Sprintf("%d of %d read and stored: %d files, %d bytes", stored, len(have), files, bytes)
}

var errNoEffects = errors.New("the run has lost its lock and changes nothing any more")

// bringApplicationsBack ends what was brought to rest, at the end of a run that does not
// come to its resume step, and lets it begin anew with the next try.
//
// Without its lock a run leaves that to the next one: another may be reading the data now.
func (r *runner) bringApplicationsBack(ctx context.Context, effects bool) string {
	var texts []string
	for _, s := range r.p.Steps {
		q := r.byStep[s.ID]
		if s.Kind != plan.Resume || q == nil || !q.onData || !r.begun(q) || r.j.progress.done(s.ID) {
			continue
		}
		t := r.task(s)
		err := errNoEffects
		if effects {
			err = resumeData(ctx, t)
		}
		if err == nil {
			err = r.task(q.first()).record(record{Type: recRestart})
		}
		if err != nil {
			t.note(s, "the services %s may be at rest still: %v", strings.Join(s.Data.Services, ", "), err)
			texts = append(texts, "The services "+strings.Join(s.Data.Services, ", ")+" may be at rest still; requeen apply gives them their scale back, and so does the next plan.")
			continue
		}
		if len(s.Data.Services) > 0 {
			texts = append(texts, "The services "+strings.Join(s.Data.Services, ", ")+" have their scale back.")
		}
	}
	return strings.Join(texts, " ")
}
