package state

import "strings"

// EscrowObject is the archive that holds the unlock key of a backup's time, where
// the backup block asks for it; stored it has what the repository adds to the name.
const EscrowObject = "unlock-key.tar"

// KeyEscrowed tells whether the unlock key of its time lies beside the backup, for
// whoever has an identity.
func (b *Backup) KeyEscrowed() bool {
	for _, o := range b.Stored {
		if strings.HasPrefix(o.Name, EscrowObject) {
			return true
		}
	}
	return false
}
