package repository

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Fingerprint names an unlock key without telling it: the hex SHA-256 of the
// key without white space around it (printf %s KEY | sha256sum). The key is
// random and 256 bits long, so it can't be guessed from that.
func Fingerprint(unlockKey string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(unlockKey)))
	return hex.EncodeToString(sum[:])
}
