package apply

import (
	"time"

	"github.com/requeen/requeen/plan"
)

// The types of journal records.
const (
	recBegin    = "begin"    // a try starts from nothing
	recResume   = "resume"   // a later try goes on
	recIntent   = "intent"   // a step's effect is about to be had
	recStored   = "stored"   // the backup is in the repository
	recOutcome  = "outcome"  // a step is done
	recData     = "data"     // a volume or directory is read and stored, or left out
	recFailed   = "failed"   // a step failed; Again tells that its run is started over
	recRestart  = "restart"  // the run of a stop step is forgotten: its steps begin again
	recFinished = "finished" // every step is done
	recClosed   = "closed"   // nothing of it is left to finish
)

// record is a line of the journal. Nothing secret is in it.
type record struct {
	Type string    `json:"type"`
	At   time.Time `json:"at"`
	Step int       `json:"step,omitempty"`
	Kind plan.Kind `json:"kind,omitempty"`
	Node string    `json:"node,omitempty"`
	Run  string    `json:"run,omitempty"` // the backup's ID, or the recovery's

	// Of begin and resume.
	Cluster     string `json:"cluster,omitempty"`
	PlanDigest  string `json:"plan_digest,omitempty"`
	Owner       string `json:"owner,omitempty"`
	ToolVersion string `json:"tool_version,omitempty"`

	// Of a stop's intent: what was seen just before it.
	Facts *facts `json:"facts,omitempty"`

	// Of data: the step that reads it, and what became of it.
	Of   int         `json:"of,omitempty"`
	Data *StoredData `json:"data,omitempty"`

	Skipped bool   `json:"skipped,omitempty"`
	Again   bool   `json:"again,omitempty"`
	Text    string `json:"text,omitempty"`
}

// facts is what verify needs to know of the moment before the stop.
type facts struct {
	MinIndex      uint64 `json:"min_index"`
	EngineVersion string `json:"engine_version"`
	Address       string `json:"address"`
}

// progress is what the records say, replayed.
type progress struct {
	open       bool      // begun, and neither finished nor closed
	finishedAt time.Time // when a try first came to the end; zero: none has
	beganAt    time.Time // of the try that is open, or was last
	intents    map[int]record
	outcomes   map[int]record
	again      map[int]bool    // by step: it failed, and its run is to be started over
	stored     map[string]bool // by backup's ID
	everActed  bool
	data       map[int]map[string]StoredData // by the step that reads, and the source's ID
}

func newProgress() *progress {
	p := &progress{stored: map[string]bool{}}
	p.reset()
	return p
}

func (p *progress) reset() {
	p.intents, p.outcomes, p.again = map[int]record{}, map[int]record{}, map[int]bool{}
	p.data = map[int]map[string]StoredData{}
	p.everActed = false
}

// take replays one record. steps of a restart are told by the runner's
// sequences, so the record lists them by the stop's ID and node only and
// restart is replayed through forget.
func (p *progress) take(r record, forget func(stop int) []int) {
	switch r.Type {
	case recBegin:
		p.reset()
		p.open, p.beganAt = true, r.At
	case recIntent:
		p.intents[r.Step] = r
		p.everActed = true
	case recStored:
		p.stored[r.Run] = true
	case recOutcome:
		p.outcomes[r.Step] = r
	case recData:
		if p.data[r.Of] == nil {
			p.data[r.Of] = map[string]StoredData{}
		}
		p.data[r.Of][r.Data.Data.ID()] = *r.Data
	case recFailed:
		if r.Again {
			p.again[r.Step] = true
		}
	case recRestart:
		for _, id := range forget(r.Step) {
			delete(p.intents, id)
			delete(p.outcomes, id)
			delete(p.again, id)
			delete(p.data, id)
		}
	case recFinished:
		p.open = false
		if p.finishedAt.IsZero() {
			p.finishedAt = r.At
		}
	case recClosed:
		p.open = false
	}
}

func (p *progress) done(step int) bool { _, ok := p.outcomes[step]; return ok }

func (p *progress) intended(step int) bool { _, ok := p.intents[step]; return ok }
