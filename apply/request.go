package apply

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// DefaultPollEvery is how often a wait looks where Request says nothing.
const DefaultPollEvery = 500 * time.Millisecond

// Request is one run of one plan.
type Request struct {
	Plan *plan.Plan
	// Digest is the plan file's: "sha256:" and 64 hex digits. The journal and
	// the lock are bound to it.
	Digest string
	// PlanBytes is the plan file as it was read. The journal keeps it, so that
	// a run can be finished without the file.
	PlanBytes []byte
	// JournalRoot is the directory under which each cluster has its journals.
	JournalRoot string
	Approval    Approval
	// Interrupt is closed, or sent to, when the operator asks to stop.
	Interrupt <-chan struct{}
	// NewID makes a backup's ID, YYYYMMDDThhmmssZ-<6 hex>.
	NewID       func(now time.Time) string
	ToolVersion string
	// ConfigSHA256 is the digest of the configuration as it is now; "" is that
	// of the plan.
	ConfigSHA256 string
	Owner        string // user@machine pid
	// NoLock takes no repository's lock (-lock=false): the hosts' own locks remain.
	NoLock bool
	// PollEvery bounds how often a wait looks; 0 is DefaultPollEvery.
	PollEvery time.Duration

	fault faultPoint // tests only: called around each journal write
}

// Result is what a run did.
type Result struct {
	Backups []state.Backup // made or found made by this plan, in the steps' order
	Removed []string       // the IDs of the backups that this try removed
	Skipped []int          // the steps that had nothing left to do
	Resumed bool           // an earlier try's journal was continued
	Journal string         // its directory
}

var (
	digestForm  = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	clusterForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
)

// complete checks a request and fills in its defaults.
func (q Request) complete() (Request, error) {
	switch {
	case q.Plan == nil:
		return q, errors.New("apply: no plan")
	case !digestForm.MatchString(q.Digest):
		return q, fmt.Errorf("apply: %q is not a plan's digest", q.Digest)
	case !clusterForm.MatchString(q.Plan.Cluster):
		return q, fmt.Errorf("apply: %q can't name a journal", q.Plan.Cluster)
	case q.JournalRoot == "":
		return q, errors.New("apply: no place for the journal")
	case q.NewID == nil:
		return q, errors.New("apply: nothing makes a backup's ID")
	}
	if q.PollEvery <= 0 {
		q.PollEvery = DefaultPollEvery
	}
	return q, nil
}

// digestHex is the digest without its prefix: the journal directory's name.
func digestHex(digest string) string { return strings.TrimPrefix(digest, "sha256:") }
