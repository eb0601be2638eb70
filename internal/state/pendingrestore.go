package state

import (
	"slices"
	"strings"
)

// PendingRestore is a restore of data for which services wait: the value of
// ScaleWaitsLabel, so that a run which is cut anywhere leaves in the swarm what is still
// to be done.
type PendingRestore struct {
	ID         string // of the restore: that of the recovery that it belongs to, where there is one
	Backup     string // the backup's ID
	Repository string // the repository block's label
	// Replace tells that what is in the places is set aside. Otherwise data are put
	// only where nothing is.
	Replace bool
	Sources []string // as BackupData.ID, sorted
}

const (
	restoreReplaces = "replace"
	restoreFills    = "fill"
)

// Value is the value of ScaleWaitsLabel.
func (p PendingRestore) Value() string {
	how := restoreFills
	if p.Replace {
		how = restoreReplaces
	}
	sources := slices.Clone(p.Sources)
	slices.Sort(sources)
	return strings.Join([]string{p.ID, p.Backup, p.Repository, how, strings.Join(sources, ",")}, " ")
}

// ParsePendingRestore reads a value of ScaleWaitsLabel; ok is false where it is none.
func ParsePendingRestore(value string) (p PendingRestore, ok bool) {
	f := strings.Split(value, " ")
	if len(f) != 5 || f[0] == "" || f[1] == "" || f[2] == "" || f[4] == "" || f[3] != restoreReplaces && f[3] != restoreFills {
		return PendingRestore{}, false
	}
	return PendingRestore{ID: f[0], Backup: f[1], Repository: f[2], Replace: f[3] == restoreReplaces, Sources: strings.Split(f[4], ",")}, true
}
