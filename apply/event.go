package apply

import "time"

// EventType says what an Event tells.
type EventType string

// The types of events.
const (
	RunStarted   EventType = "run_started"
	RunResumed   EventType = "run_resumed"
	StepStarted  EventType = "step_started"
	StepProgress EventType = "step_progress"
	StepDone     EventType = "step_done"
	StepSkipped  EventType = "step_skipped" // found done already
	StepFailed   EventType = "step_failed"
	Note         EventType = "note" // something to know that is not a failure
	Interrupted  EventType = "interrupted"
	RunDone      EventType = "run_done"
	RunFailed    EventType = "run_failed"
)

// Event is one thing that happened in a run. Its JSON form is, with the version of
// the lines before it, a line of apply -json; times are UTC.
type Event struct {
	Type   EventType `json:"type"`
	At     time.Time `json:"at"`
	Step   int       `json:"step,omitempty"`
	Kind   string    `json:"kind,omitempty"`
	Node   string    `json:"node,omitempty"`
	Text   string    `json:"text,omitempty"`
	Stage  string    `json:"stage,omitempty"`
	Bytes  int64     `json:"bytes,omitempty"`
	Total  int64     `json:"total,omitempty"`
	Backup string    `json:"backup,omitempty"` // the backup's ID
	Error  string    `json:"error,omitempty"`
	Remedy string    `json:"remedy,omitempty"`
	Digest string    `json:"plan_digest,omitempty"`
}
