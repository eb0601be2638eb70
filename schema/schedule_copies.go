package schema

import (
	"fmt"
	"slices"
	"strings"
)

// checkScheduledCopies tells of copies that a schedule's runs can't make: what is to be
// encrypted anew is opened first, and no identity is put on a schedule's host.
func (l *loader) checkScheduledCopies(b Backup, at backupPlaces) {
	if b.Schedule == nil || len(b.Copies) < 2 {
		return
	}
	first := l.cfg.Repository(b.Copies[0])
	if first == nil || len(first.Recipients) == 0 { // nobody needs an identity to open it
		return
	}
	for i, name := range b.Copies[1:] {
		r := l.cfg.Repository(name)
		if r == nil || !r.stores() || sameForm(first, r) {
			continue
		}
		l.warn(at.copies[i+1], "Copy that a schedule's runs can't make", fmt.Sprintf("Repository %q has other recipients than %q, or none: what is stored there is opened with the identity of %q and encrypted anew, and no identity is put on the host of a schedule. Each run fails, and the backup is due, until requeen apply copies it where the identity is.", name, first.Name, first.Name),
			"Name the same recipients in both repositories.")
	}
}

// stores tells whether it is known in what form the repository stores.
func (r *Repository) stores() bool { return r.Plaintext || len(r.Recipients) > 0 }

// sameForm tells whether what is stored in one repository serves in another as it is.
func sameForm(a, b *Repository) bool {
	if a.Plaintext || b.Plaintext {
		return a.Plaintext && b.Plaintext
	}
	return slices.Equal(recipientKeys(a), recipientKeys(b))
}

// recipientKeys are the public keys, sorted, without the comments of ssh keys.
func recipientKeys(r *Repository) []string {
	var keys []string
	for _, s := range r.Recipients {
		parts := strings.Fields(s)
		keys = append(keys, strings.Join(parts[:min(2, len(parts))], " "))
	}
	return slices.Compact(slices.Sorted(slices.Values(keys)))
}
