package raftdir

import (
	"encoding/base64"
	"encoding/pem"

	"github.com/moby/swarmkit/v2/ca/keyutils"
	"github.com/moby/swarmkit/v2/manager/encryption"
)

// headerKEKVersion counts the changes of the unlock key that the key file has
// seen. It is 0 in every key that this package writes: an engine that is forced
// or joined refuses the cluster's unlock key as "the same version, but a
// different value" when the version was kept.
const headerKEKVersion = "kek-version"

// UnsealKey gives a swarm-node.key in clear, with the keys of its log in clear
// too and as if it had never been sealed, so that its host can join the swarm
// again with the certificate that it has: a join with a sealed one fails, and
// the engine then erases the swarm directory (safety rule 2). A key that is not
// sealed comes back with kek-version 0 and needs no unlock key; one without
// keys of a log passes.
//
// What it returns is a secret. Errors are ErrLocked (no unlock key given),
// ErrWrongUnlockKey and ErrKeyDamaged.
func UnsealKey(nodeKeyPEM, unlockKey []byte) ([]byte, error) {
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
	logKeys := map[string][]byte{}
	for _, name := range []string{headerLogKey, headerLogKeyPending} {
		key, err := logKey(block.Headers, name, kek)
		if err != nil {
			return nil, err
		}
		if key != nil {
			logKeys[name] = key
		}
	}
	plain, err := plainKey(block, kek)
	if err != nil {
		return nil, err
	}
	return clearKey(plain, logKeys)
}

// clearKey writes a private key in clear and the log's keys, by header, as
// swarmkit writes them where there is no unlock key.
func clearKey(keyPEM []byte, logKeys map[string][]byte) ([]byte, error) {
	block, _ := pem.Decode(keyPEM)
	if block == nil {
		return nil, keyError(ErrKeyDamaged, "it is no PEM file", nil)
	}
	block.Headers = map[string]string{headerKEKVersion: "0"}
	for name, key := range logKeys {
		value, err := encryption.Encrypt(key, encryption.NoopCrypter)
		if err != nil {
			return nil, keyError(ErrKeyDamaged, "its header "+name+" can't be written", nil)
		}
		block.Headers[name] = base64.StdEncoding.EncodeToString(value)
	}
	return pem.EncodeToMemory(block), nil
}
