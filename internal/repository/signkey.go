package repository

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/diag"
)

// How the two halves of a key for signatures are written.
const (
	verifyKeyPrefix = "ed25519:"
	signKeyPrefix   = "ED25519-SECRET-KEY:"
	signKeyLimit    = 64 << 10
)

// SignKey says where the private key is with which manifests are signed: in a
// file, or given as it is. The zero SignKey is none.
type SignKey struct {
	File string
	// Text tells the key itself, nil where a file is meant; a function, so that
	// nothing that prints a SignKey prints the key.
	Text func() string
}

// None tells whether there is no key.
func (k SignKey) None() bool { return k.File == "" && k.Text == nil }

// NewSignKey makes a pair: the text of the private key, and the public one as it
// stands in verify_key.
func NewSignKey(random io.Reader) (private, public string, err error) {
	pub, key, err := ed25519.GenerateKey(random)
	if err != nil {
		return "", "", err
	}
	return signKeyPrefix + base64.StdEncoding.EncodeToString(key.Seed()), verifyKeyText(pub), nil
}

func verifyKeyText(key ed25519.PublicKey) string {
	return verifyKeyPrefix + base64.StdEncoding.EncodeToString(key)
}

// parseVerifyKeys gives the public keys. What it was given is never repeated: it
// may be a private key in the wrong place.
func parseVerifyKeys(list []string) ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	for i, text := range list {
		raw, is := strings.CutPrefix(strings.TrimSpace(text), verifyKeyPrefix)
		key, err := base64.StdEncoding.Strict().DecodeString(raw)
		if !is || err != nil || len(key) != ed25519.PublicKeySize {
			return nil, &Error{Kind: ErrSignature, What: fmt.Sprintf("verify key number %d can't be used", i+1),
				Why:    "A manifest without a signature that one of these keys fits is no backup",
				Remedy: "write it as requeen backup keygen prints it: " + verifyKeyPrefix + "…"}
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// load reads the private key. What it holds is in no error.
func (k SignKey) load() (ed25519.PrivateKey, error) {
	if k.None() {
		return nil, noSignKey("no key to sign with is at hand", nil)
	}
	var text string
	if k.Text != nil {
		text = k.Text()
	} else {
		data, err := readSignKey(k.File)
		if err != nil {
			return nil, noSignKey("the key to sign with, "+k.File+", can't be read", err)
		}
		text = data
	}
	for _, line := range strings.Split(text, "\n") {
		raw, is := strings.CutPrefix(strings.TrimSpace(line), signKeyPrefix)
		if !is {
			continue
		}
		if seed, err := base64.StdEncoding.Strict().DecodeString(raw); err == nil && len(seed) == ed25519.SeedSize {
			return ed25519.NewKeyFromSeed(seed), nil
		}
	}
	return nil, noSignKey("what sign_key gives is no key of requeen backup keygen", nil)
}

var errOpenToOthers = errors.New("others than its owner may read or write it: chmod 600")

// readSignKey reads a key's file, which must be its owner's alone: who has the key
// can make backups that this configuration takes for its own.
func readSignKey(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", err
	case info.Mode().Perm()&0o077 != 0:
		return "", errOpenToOthers
	}
	data, err := io.ReadAll(io.LimitReader(f, signKeyLimit))
	return string(bytes.TrimSpace(data)), err
}

func noSignKey(what string, cause error) error {
	row, _ := diag.Lookup(diag.NoSignKey)
	return &Error{Kind: ErrSignature, Code: diag.NoSignKey, What: what, Cause: cause,
		Why:    "A verify_key is declared, so that a backup without its signature would be none",
		Remedy: row.Remedy}
}

// CanSign tells whether a backup that is made with these options would be taken
// for one: nil where no verify key is declared, or the private key of one is at hand.
func CanSign(o Options) error {
	_, err := signer(o)
	return err
}

// signer is the private key, nil where nothing is signed.
func signer(o Options) (ed25519.PrivateKey, error) {
	if len(o.VerifyKeys) == 0 {
		return nil, nil
	}
	verify, err := parseVerifyKeys(o.VerifyKeys)
	if err != nil {
		return nil, err
	}
	key, err := o.SignKey.load()
	if err != nil {
		return nil, err
	}
	public := key.Public().(ed25519.PublicKey)
	if !slices.ContainsFunc(verify, func(v ed25519.PublicKey) bool { return v.Equal(public) }) {
		return nil, noSignKey("sign_key belongs to "+verifyKeyText(public)+", which verify_key does not name", nil)
	}
	return key, nil
}
