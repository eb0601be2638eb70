package host

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
)

// ReadyData finds out, before anything is stopped for it, whether a restore of data could
// begin: GNU tar is there, what is in the place can be set aside by a rename, and what is
// restored has room beside it. One that has begun is gone on with. It changes nothing;
// refusals are RestoreData's.
func (h *Host) ReadyData(ctx context.Context, r DataRestore) error {
	err := errors.Join(checkName("restore ID", r.ID), checkName("cluster", r.Cluster))
	if err != nil {
		return err
	}
	if r.MachineID == "" || !path.IsAbs(r.Place) {
		return fmt.Errorf("host: %q is no place for data, or no machine ID was given", r.Place)
	}
	fill := "0"
	if r.Fill {
		fill = "1"
	}
	_, _, err = h.dataCommand(ctx, r, nil, "ready", strconv.FormatInt(r.Bytes, 10), strconv.FormatInt(r.Files, 10), fill)
	return err
}
