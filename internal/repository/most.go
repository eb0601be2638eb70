package repository

import (
	"fmt"

	"github.com/requeen/requeen/internal/state"
)

// azureMaxBlocks is of how many parts an object is at Azure, at most.
const azureMaxBlocks = 50_000

// tooLarge says of an object that one object's place in a repository does not hold it,
// and what helps: an upload would come to that only after hours.
func tooLarge(what string, most int64) *trouble {
	return &trouble{fmt.Sprintf("%s is larger than %d GiB, the most that one object takes there", what, most>>30),
		"divide what it holds among several volume and directory blocks, or keep it in a repository whose objects may be larger: file:// and gs://", nil}
}

// holdsAll refuses a backup of which an object is larger than the storage takes.
func (r *Repository) holdsAll(b state.Backup) error {
	s, ok := r.store.(*objectStore)
	if !ok || s.most == 0 {
		return nil
	}
	for _, o := range b.Stored {
		if o.Size > s.most {
			return failed(r.url, "backup "+b.ID+" can't be copied there", "Nothing of it was copied", "", tooLarge(o.Name, s.most))
		}
	}
	return nil
}
