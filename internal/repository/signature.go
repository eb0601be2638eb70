package repository

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// signedHeader stands before what is signed, so that the key's signature of
// anything else can't be shown for a manifest's.
const signedHeader = "requeen backup manifest v1\n"

// lateKeys are the keys of a manifest that are written after it was signed, by
// whoever checks the backup: he need not have the private key.
var lateKeys = []string{"signature", "opened_at", "checked"}

// signedPart is a manifest without its late keys, in one form: keys sorted at every
// depth, no white space, a new line at the end. Where a key stands twice in a
// manifest, one of the two is in it and the other nowhere.
func signedPart(data []byte) (signed []byte, late map[string]any, err error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var all map[string]any
	if err := dec.Decode(&all); err != nil {
		return nil, nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("something stands behind its end")
	}
	late = map[string]any{}
	for _, key := range lateKeys {
		if value, there := all[key]; there {
			late[key] = value
			delete(all, key)
		}
	}
	signed, err = oneForm(all)
	return signed, late, err
}

func oneForm(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return out.Bytes(), err
}

// sign gives the manifest's bytes with a signature over all that is in them.
func sign(m state.Backup, key ed25519.PrivateKey) ([]byte, error) {
	m.Signature = nil
	data, err := encodeManifest(m)
	if err != nil || key == nil {
		return data, err
	}
	signed, _, err := signedPart(data)
	if err != nil {
		return nil, err
	}
	m.Signature = &state.Signature{Key: verifyKeyText(key.Public().(ed25519.PublicKey)),
		Ed25519: base64.StdEncoding.EncodeToString(ed25519.Sign(key, append([]byte(signedHeader), signed...)))}
	return encodeManifest(m)
}

// decodeManifest reads a manifest. Where verify keys are declared, forged says why
// its signature does not hold, and what it gives was read out of the bytes that are
// signed and no others.
func (r *Repository) decodeManifest(data []byte) (b state.Backup, forged string, err error) {
	if err := json.Unmarshal(data, &b); err != nil {
		return b, "", err
	}
	if len(r.verify) > 0 {
		var sound state.Backup
		if sound, forged, err = r.verified(data); err != nil {
			return b, "", err
		}
		if forged == "" {
			b = sound
		}
	}
	b.Problem, b.Opening = nil, nil // of an observation, never of a manifest
	return b, forged, nil
}

func (r *Repository) verified(data []byte) (b state.Backup, forged string, err error) {
	signed, late, err := signedPart(data)
	if err != nil {
		return b, "", err
	}
	rest, err := oneForm(late)
	if err != nil {
		return b, "", err
	}
	if err := errors.Join(json.Unmarshal(signed, &b), json.Unmarshal(rest, &b)); err != nil {
		return b, "", err
	}
	if b.Signature == nil {
		return b, "its manifest is not signed", nil
	}
	sum, err := base64.StdEncoding.DecodeString(b.Signature.Ed25519)
	if err != nil || len(sum) != ed25519.SignatureSize {
		return b, "its manifest's signature is none", nil
	}
	message := append([]byte(signedHeader), signed...)
	for _, key := range r.verify {
		if ed25519.Verify(key, message, sum) {
			b.Signature.Key = verifyKeyText(key)
			return b, "", nil
		}
	}
	return b, "no key of verify_key fits its manifest's signature", nil
}

// notSigned is the problem of a backup whose signature does not hold.
func notSigned(why string) *state.Problem {
	row, _ := diag.Lookup(diag.BackupNotSigned)
	return &state.Problem{Code: diag.BackupNotSigned, Text: why, Remedy: row.Remedy}
}

// trusted refuses a backup whose signature does not hold: nothing of it is opened,
// and nothing is recorded in it.
func (r *Repository) trusted(b state.Backup) error {
	if b.Problem == nil || b.Problem.Code != diag.BackupNotSigned {
		return nil
	}
	return &Error{Kind: ErrSignature, Code: diag.BackupNotSigned, URL: r.url,
		What:   fmt.Sprintf("backup %s is not to be trusted: %s", b.ID, b.Problem.Text),
		Why:    "Whoever can write to the repository could have put it there, with a swarm of his own in it",
		Remedy: b.Problem.Remedy}
}
