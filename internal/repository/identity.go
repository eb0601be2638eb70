package repository

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"

	"github.com/requeen/requeen/internal/diag"
)

const identityLimit = 1 << 20

// loadIdentity reads an identity file: age's own identities, a line each, or
// one OpenSSH private key. What it holds is never in an error.
func loadIdentity(path string) ([]age.Identity, error) {
	if path == "" {
		return nil, &Error{
			Kind: ErrNoIdentity, What: "no identity is set",
			Why:    "The backup is encrypted and opens only with an identity that belongs to one of its recipients",
			Remedy: "set identity in the repository block to the path of the identity file",
		}
	}
	data, err := readIdentity(path)
	if err != nil {
		return nil, &Error{
			Kind: ErrNoIdentity, What: fmt.Sprintf("identity file %s can't be read", path), Cause: err,
			Why:    "The backup is encrypted and opens only with an identity that belongs to one of its recipients",
			Remedy: "set identity in the repository block to the path of the identity file, readable by you",
		}
	}
	text := bytes.TrimSpace(data)
	switch {
	case bytes.HasPrefix(text, []byte("age-encryption.org/")), bytes.HasPrefix(text, []byte("-----BEGIN AGE ENCRYPTED FILE-----")):
		return nil, encryptedIdentity(path, "decrypt it into memory-backed storage first, age -d -o /dev/shm/identity FILE, and name that file")
	case bytes.HasPrefix(text, []byte("-----BEGIN")):
		return sshIdentity(path, data)
	}
	ids, err := age.ParseIdentities(bytes.NewReader(data))
	if err != nil {
		return nil, badIdentity(path, err)
	}
	return ids, nil
}

func readIdentity(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, identityLimit+1))
	if err == nil && len(data) > identityLimit {
		err = errTooLong
	}
	return data, err
}

func sshIdentity(path string, pem []byte) ([]age.Identity, error) {
	id, err := agessh.ParseIdentity(pem)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		return nil, encryptedIdentity(path, "copy it into memory-backed storage, take the passphrase off the copy with ssh-keygen -p -N '' -f /dev/shm/identity, and name that file")
	}
	if err != nil {
		return nil, badIdentity(path, err)
	}
	return []age.Identity{id}, nil
}

func encryptedIdentity(path, remedy string) error {
	return &Error{
		Kind: ErrEncryptedIdentity, What: fmt.Sprintf("identity file %s has a passphrase", path),
		Why:    "requeen never prompts for one, so that what was planned also runs without a terminal",
		Remedy: remedy,
	}
}

func badIdentity(path string, cause error) error {
	return &Error{
		Kind: ErrNoIdentity, What: fmt.Sprintf("identity file %s holds no usable identity", path), Cause: cause,
		Why:    "Without it encrypted backups don't open",
		Remedy: "it must hold AGE-SECRET-KEY-1… lines, or an OpenSSH private key of type ed25519 or rsa",
	}
}

// DecryptSmall opens what EncryptSmall made.
func DecryptSmall(identityFile string, data []byte) ([]byte, error) {
	ids, err := loadIdentity(identityFile)
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(bytes.NewReader(data), ids...)
	if err != nil {
		return nil, decryptError(identityFile, err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, decryptError(identityFile, err)
	}
	return plain, nil
}

// decryptError tells an identity that does not fit from bytes that are broken.
func decryptError(identityFile string, err error) error {
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return &Error{
			Kind: ErrWrongIdentity, Cause: err,
			What:   fmt.Sprintf("identity file %s belongs to none of the recipients (%s)", identityFile, strings.Join(none.StanzaTypes, ", ")),
			Why:    "Only the identities of the recipients that were set when the backup was made open it",
			Remedy: "the manifest names the recipients: find the identity of one of them, age-keygen -y FILE tells whose a file is",
		}
	}
	return &Error{
		Kind: ErrDigest, Code: diag.BackupDamaged, What: "encrypted bytes can't be opened", Cause: err,
		Why: "They were altered or cut after they were written", Remedy: "use another copy",
	}
}
