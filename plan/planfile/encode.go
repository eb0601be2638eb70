package planfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/requeen/requeen/plan"
)

// MaxSize bounds a plan document. A plan of seven managers and a hundred
// backup blocks is far below it.
const MaxSize = 16 << 20

// digestPrefix begins the line that holds the digest, and digestSuffix ends the
// document after its 64 hexadecimal digits.
const (
	digestPrefix = `  "digest": "sha256:`
	digestSuffix = "\"\n}\n"
)

// Encode gives a plan's document and its digest, "sha256:" and 64 hexadecimal
// digits.
func Encode(p *plan.Plan) (document []byte, digest string, err error) {
	if p == nil {
		return nil, "", errors.New("there is no plan to encode")
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(p); err != nil {
		return nil, "", err
	}
	// The encoder ends in "\n}\n": the digest's line goes before the brace.
	body := append(bytes.TrimSuffix(b.Bytes(), []byte("\n}\n")), ",\n"...)
	sum := sum(body)
	document = append(append(body, digestPrefix+sum...), digestSuffix...)
	if len(document) > MaxSize {
		return nil, "", errors.New("the plan is larger than a plan file may be")
	}
	return document, "sha256:" + sum, nil
}

func sum(body []byte) string {
	h := sha256.Sum256(body)
	return hex.EncodeToString(h[:])
}
