package host

import (
	_ "embed" // the scripts
	"errors"

	"github.com/requeen/requeen/internal/diag"
)

var (
	//go:embed guard.sh
	guardScript string
	//go:embed begin.sh
	beginScript string
	//go:embed backup_unit.sh
	unitScript string
	//go:embed remove.sh
	removeScript string
	//go:embed start.sh
	startScript string
	//go:embed list.sh
	listScript string
	//go:embed probe.sh
	probeScript string
	//go:embed mounts.sh
	mountsScript string
	//go:embed surgery.sh
	surgeryScript string
	//go:embed hold.sh
	holdScript string
	//go:embed fence.sh
	fenceScript string
	//go:embed stage.sh
	stageScript string
	//go:embed swap.sh
	swapScript string
	//go:embed lift.sh
	liftScript string
	//go:embed certificates_aside.sh
	certificatesAsideScript string
	//go:embed node_key.sh
	nodeKeyScript string
	//go:embed read_held.sh
	readHeldScript string
	//go:embed read_live.sh
	readLiveScript string
	//go:embed remove_aside.sh
	removeAsideScript string
	//go:embed remove_data_aside.sh
	removeDataAsideScript string
	//go:embed restore_data.sh
	restoreDataScript string
	//go:embed guarded.sh
	guardedScript string
)

// refusals type the exit statuses of guard.sh.
var refusals = map[int]struct {
	kind   error
	code   string
	remedy string
}{
	101: {ErrGuard, diag.PlanStale, ""},
	102: {ErrToken, diag.RunTokenRefused, ""},
	103: {ErrRunInFlight, diag.UnfinishedRun, "Wait until it is done; requeen plan shows how far it is."},
	104: {ErrNoRoom, diag.NoRoom, ""},
	105: {ErrIncomplete, diag.HostIncomplete, ""},
	106: {ErrUnitBusy, diag.UnfinishedRun, "Wait until it is done; requeen plan shows how far it is."},
	107: {ErrGuard, diag.UnfinishedRun, "Run requeen apply again."},
	108: {ErrGuard, diag.UnfinishedRun, "Run requeen apply: it starts the engine."},
	109: {ErrChanged, diag.PlanStale, "Try again: an engine renews its certificates by itself."},
	111: {ErrHeld, diag.UnfinishedRun, "Plan again: the recovery that holds the engine has to be finished first."},
}

// refused turns a guard's exit status into its Error; other errors stay.
func (h *Host) refused(err error) error {
	var exit *ExitError
	if !errors.As(err, &exit) {
		return err
	}
	row, ok := refusals[exit.Status]
	if !ok {
		return err
	}
	return h.fail(row.kind, row.code, guardText(exit.Stderr), row.remedy)
}

// guardText is what guard.sh's refuse said, without its prefix.
func guardText(stderr string) string {
	const prefix = "requeen: "
	text := lastLine(stderr)
	if len(text) > len(prefix) && text[:len(prefix)] == prefix {
		return text[len(prefix):]
	}
	return text
}
