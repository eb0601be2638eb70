package status

import (
	"slices"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// Copy is how one repository of a backup block with copies stands.
type Copy struct {
	Repository string `json:"repository"`
	Looked     bool   `json:"looked"`
	Holds      bool   `json:"holds"`  // the newest backup of the block that counts
	Stored     int    `json:"stored"` // backups of this block that are in the repository
	NoUse      int    `json:"no_use"` // of them, damaged or suspect ones
}

// copies judges each repository of a block, and tells when a backup with the newest
// one's recipients was last opened out of any of them.
func (j *judge) copies(f plan.Freshness, b *Backup) {
	for _, name := range f.Block.Places() {
		r := j.in.State.Repository(name)
		at := Backup{Name: b.Name, Repository: name}
		j.stored(&at)
		if name == b.Repository {
			b.Stored, b.NoUse = at.Stored, at.NoUse
		}
		looked := r != nil && r.Looked == state.Present
		if looked && f.Newest != nil {
			if opened := plan.LastOpened(f.Newest, r.Backups, j.in.Now).OpenedAt; opened.After(b.OpenedAt) {
				b.OpenedAt = opened
			}
		}
		if len(f.Block.Copies) > 0 {
			b.Copies = append(b.Copies, Copy{Repository: name, Looked: looked, Stored: at.Stored, NoUse: at.NoUse,
				Holds: looked && f.Newest != nil && !slices.Contains(f.Lacks, name)})
		}
	}
}
