package state

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
)

// RootCADigest is the digest by which root CAs are compared everywhere: hex, of the
// first certificate's DER bytes. It is empty where the text holds none.
func RootCADigest(text []byte) string {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return ""
		}
		if block.Type == "CERTIFICATE" {
			sum := sha256.Sum256(block.Bytes)
			return hex.EncodeToString(sum[:])
		}
		text = rest
	}
}
