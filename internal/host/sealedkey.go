package host

import (
	"context"
	"encoding/base64"
	"strings"
)

// SealedKey gives the encrypted unlock key that BeginBackup kept with a run
// (BackupRun.SealedKey), nil when it kept none. It is the key of the time of the
// stop: after a rotation no live manager tells it any more (safety rule 11).
func (h *Host) SealedKey(ctx context.Context, id string) ([]byte, error) {
	if err := checkName("backup ID", id); err != nil {
		return nil, err
	}
	text, err := h.Output(ctx, Command{
		Script: `[ ! -f "$1" ] || base64 "$1"`, Args: []string{h.pool.stateDir() + "/runs/" + id + "/unlock-key.age"}, Root: true,
	})
	if err != nil {
		return nil, h.refused(err)
	}
	return base64.StdEncoding.DecodeString(strings.ReplaceAll(text, "\n", ""))
}
