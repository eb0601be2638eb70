package raftdir

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"strings"

	"github.com/moby/swarmkit/v2/ca/keyutils"
	"github.com/moby/swarmkit/v2/manager/encryption"
)

// The headers of swarm-node.key that hold the log's keys. swarmkit keeps these
// names and their decoding in its manager package (manager/deks.go), which
// can't be imported without the whole orchestrator behind it.
const (
	headerLogKey        = "raft-dek"
	headerLogKeyPending = "raft-dek-pending"
)

// nodeKey is an opened swarm-node.key.
type nodeKey struct {
	pem     []byte // the private key in clear, without the log keys' headers
	current []byte // the log's key
	pending []byte // the log's next key while a rotation is on, else nil
}

// decrypter opens what either log key sealed: while a rotation is pending, one
// log holds entries of both (safety rule 19).
func (k *nodeKey) decrypter() encryption.Decrypter {
	_, current := encryption.Defaults(k.current, false)
	if k.pending == nil {
		return current
	}
	_, pending := encryption.Defaults(k.pending, false)
	return encryption.NewMultiDecrypter(pending, current)
}

// KeySealed tells whether a swarm-node.key is encrypted with an unlock key. It
// is false for what is no key at all.
func KeySealed(nodeKeyPEM []byte) bool {
	block, _ := pem.Decode(nodeKeyPEM)
	return block != nil && keyutils.IsEncryptedPEMBlock(block)
}

// KeyOpens checks that a swarm-node.key, and the log's keys in its headers,
// open with an unlock key ("SWMKEY-1-…", white space around it ignored). A key
// that is not sealed opens with any; see KeySealed. Errors are ErrLocked (no
// unlock key given), ErrWrongUnlockKey, ErrKeyDamaged and ErrNoLogKey.
func KeyOpens(nodeKeyPEM, unlockKey []byte) error {
	_, err := openKey(nodeKeyPEM, unlockKey)
	return err
}

func openKey(nodeKeyPEM, unlockKey []byte) (*nodeKey, error) {
	block, _ := pem.Decode(nodeKeyPEM)
	if block == nil {
		return nil, keyError(ErrKeyDamaged, "it is no PEM file", nil)
	}
	var kek []byte
	if keyutils.IsEncryptedPEMBlock(block) {
		var err error
		if kek, err = parseUnlockKey(unlockKey); err != nil {
			return nil, err
		}
	}
	key := &nodeKey{}
	var err error
	if key.current, err = logKey(block.Headers, headerLogKey, kek); err != nil {
		return nil, err
	}
	if key.pending, err = logKey(block.Headers, headerLogKeyPending, kek); err != nil {
		return nil, err
	}
	if key.pem, err = plainKey(block, kek); err != nil {
		return nil, err
	}
	if key.current == nil {
		return nil, keyError(ErrNoLogKey, "its headers hold no key for the raft log", nil)
	}
	return key, nil
}

func parseUnlockKey(unlockKey []byte) ([]byte, error) {
	text := string(bytes.TrimSpace(unlockKey))
	if text == "" {
		return nil, keyError(ErrLocked, "it is sealed with an unlock key and none was given", nil)
	}
	kek, err := encryption.ParseHumanReadableKey(text)
	if err != nil || len(kek) == 0 {
		return nil, keyError(ErrWrongUnlockKey, "what was given is no unlock key: those begin with SWMKEY-1-", nil)
	}
	return kek, nil
}

// plainKey decrypts the key block, as swarmkit's KeyReadWriter does; kek is nil
// when it is not sealed.
func plainKey(block *pem.Block, kek []byte) ([]byte, error) {
	plain := &pem.Block{Type: block.Type, Bytes: block.Bytes}
	if kek == nil {
		return pem.EncodeToMemory(plain), nil
	}
	failure := Error{Kind: ErrKeyDamaged, File: fileNodeKey, What: "it can't be decrypted", Why: whyNodeKey}
	err := guarded(failure, func() error {
		der, err := keyutils.Default.DecryptPEMBlock(block, kek)
		if err != nil {
			return keyError(ErrWrongUnlockKey, "the unlock key does not open it", nil)
		}
		plain.Type = strings.TrimPrefix(block.Type, "ENCRYPTED ")
		plain.Bytes = der
		return nil
	})
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(plain), nil
}

// logKey decodes one of the headers, nil when it is not there. The headers are
// sealed with the same unlock key as the key, with a checksum, so that they
// tell a wrong key for certain.
func logKey(headers map[string]string, name string, kek []byte) ([]byte, error) {
	value, ok := headers[name]
	if !ok {
		return nil, nil
	}
	sealed, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return nil, keyError(ErrKeyDamaged, "its header "+name+" can't be decoded", nil)
	}
	var decrypter encryption.Decrypter = encryption.NoopCrypter
	if kek != nil {
		_, decrypter = encryption.Defaults(kek, false)
	}
	key, err := encryption.Decrypt(sealed, decrypter)
	switch {
	case err != nil && kek != nil:
		return nil, keyError(ErrWrongUnlockKey, "the unlock key does not open its header "+name, nil)
	case err != nil:
		return nil, keyError(ErrKeyDamaged, "its header "+name+" is sealed although the key is not", nil)
	case len(key) == 0:
		return nil, keyError(ErrKeyDamaged, "its header "+name+" is empty", nil)
	}
	return key, nil
}

const whyNodeKey = "without this key nothing in the raft log can be read"

func keyError(kind error, what string, cause error) error {
	return &Error{Kind: kind, File: fileNodeKey, What: what, Why: whyNodeKey, Err: cause}
}
