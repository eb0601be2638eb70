package schema

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// recipientError is a light look at a recipient, so that a mistyped one is told
// with its place; internal/repository parses it in full.
func recipientError(s string) error {
	switch {
	case s == "":
		return errors.New("it is empty")
	case strings.HasPrefix(s, "age1"):
		return ageError(s)
	case strings.HasPrefix(s, "ssh-"):
		return sshError(s)
	case strings.HasPrefix(strings.ToLower(s), "age1"):
		return errors.New("recipients are written in lower case")
	}
	return errors.New("only age1…, ssh-ed25519 and ssh-rsa are known")
}

const bech32Charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// ageError checks an X25519 or post-quantum age recipient: charset, length and
// the bech32 checksum.
func ageError(s string) error {
	prefix, data := "age", s[len("age1"):]
	if rest, pq := strings.CutPrefix(s, "age1pq1"); pq {
		prefix, data = "age1pq", rest
	} else if len(s) != 62 {
		return fmt.Errorf("it has %d characters and not 62", len(s))
	}
	sum := uint32(1)
	step := func(v byte) {
		top := sum >> 25
		sum = (sum&0x1ffffff)<<5 ^ uint32(v)
		for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	for i := range len(prefix) {
		step(prefix[i] >> 5)
	}
	step(0)
	for i := range len(prefix) {
		step(prefix[i] & 31)
	}
	for _, r := range data {
		i := strings.IndexRune(bech32Charset, r)
		if i < 0 {
			return fmt.Errorf("no recipient has the character %q", r)
		}
		step(byte(i))
	}
	if sum != 1 {
		return errors.New("its checksum does not fit, so it is mistyped or cut off")
	}
	return nil
}

func sshError(s string) error {
	fields := strings.Fields(s)
	kind := fields[0]
	if kind != "ssh-ed25519" && kind != "ssh-rsa" {
		return fmt.Errorf("keys of type %q can't be encrypted to", kind)
	}
	if strings.ContainsAny(s, "\r\n") {
		return errors.New("it is more than one line")
	}
	if len(fields) < 2 {
		return errors.New("the key is missing after its type")
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		return errors.New("its key is not base64, so it is mistyped or cut off")
	}
	if len(blob) < 4+len(kind) || binary.BigEndian.Uint32(blob) != uint32(len(kind)) || string(blob[4:4+len(kind)]) != kind {
		return errors.New("the key is not of the type that stands before it")
	}
	if kind == "ssh-ed25519" && len(blob) != 4+len(kind)+4+32 {
		return errors.New("its key has the wrong length, so it is cut off")
	}
	return nil
}
