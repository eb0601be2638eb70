package repository

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"

	"github.com/requeen/requeen/internal/diag"
)

// ParseRecipients checks a list of recipients and names everything that is
// wrong with it at once.
func ParseRecipients(list []string) error {
	_, _, err := parseRecipients(list)
	return err
}

// parseRecipients gives age's recipients and how a manifest names them: an ssh
// key's comment, which often is a person's name, is left out of it.
func parseRecipients(list []string) ([]age.Recipient, []string, error) {
	var (
		parsed []age.Recipient
		texts  []string
		faults []string
		seen   = map[string]int{}
	)
	if len(list) == 0 {
		faults = append(faults, "there is none")
	}
	for i, raw := range list {
		r, text, err := parseRecipient(strings.TrimSpace(raw))
		if err == nil && seen[text] > 0 {
			err = fmt.Errorf("it is the same as number %d", seen[text])
		}
		if err != nil {
			faults = append(faults, fmt.Sprintf("number %d: %v", i+1, err))
			continue
		}
		seen[text] = i + 1
		parsed, texts = append(parsed, r), append(texts, text)
	}
	if len(faults) > 0 {
		return nil, nil, &Error{
			Kind: ErrRecipients, What: "recipients can't be used: " + strings.Join(faults, "; "),
			Why:    "Backups are encrypted to them and to nobody else",
			Remedy: "name public keys: age1… (age-keygen -y) or a line of ssh-ed25519 or ssh-rsa",
		}
	}
	return parsed, texts, nil
}

// parseRecipient never repeats what it was given: it may be a private key that
// was pasted in the wrong place.
func parseRecipient(s string) (age.Recipient, string, error) {
	switch {
	case s == "":
		return nil, "", errors.New("it is empty")
	case strings.HasPrefix(s, "AGE-SECRET-KEY-"), strings.Contains(s, "PRIVATE KEY"):
		return nil, "", errors.New("it is a private key, which must never be in a configuration; take its public key, and make a new pair if the file was shared")
	case strings.HasPrefix(s, "age1"):
		r, err := age.ParseX25519Recipient(s)
		if err != nil {
			return nil, "", errors.New("it begins with age1 but is no X25519 public key (plugins and post-quantum keys are not supported)")
		}
		return r, r.String(), nil
	case strings.HasPrefix(s, "ssh-ed25519 "), strings.HasPrefix(s, "ssh-rsa "):
		r, err := agessh.ParseRecipient(s)
		if err != nil {
			return nil, "", fmt.Errorf("it begins with %s but can't be used: %v", strings.Fields(s)[0], err)
		}
		return r, strings.Join(strings.Fields(s)[:2], " "), nil
	}
	return nil, "", errors.New("it is neither age1…, ssh-ed25519 … nor ssh-rsa …")
}

// sealer makes the stored form: zstd, then age where there are recipients.
type sealer struct {
	recipients []age.Recipient
	texts      []string
	plaintext  bool
	lean       bool // one compressor is enough
}

func newSealer(list []string, plaintext bool) (*sealer, error) {
	if plaintext {
		return &sealer{plaintext: true}, nil
	}
	parsed, texts, err := parseRecipients(list)
	if err != nil {
		return nil, err
	}
	return &sealer{recipients: parsed, texts: texts}, nil
}

// copy compresses and encrypts all of src to dst.
func (s *sealer) copy(dst io.Writer, src io.Reader) error {
	out := dst
	var sealed io.WriteCloser
	if !s.plaintext {
		var err error
		if sealed, err = age.Encrypt(dst, s.recipients...); err != nil {
			return err
		}
		out = sealed
	}
	if err := compress(out, src, s.compressors()); err != nil {
		return err
	}
	if sealed != nil {
		return sealed.Close()
	}
	return nil
}

func (s *sealer) compressors() int {
	if s.lean {
		return 1
	}
	return compressors()
}

// EncryptSmall encrypts a few bytes, such as a key, to the recipients; what it
// gives opens with age -d and with DecryptSmall.
func EncryptSmall(recipients []string, data []byte) ([]byte, error) {
	parsed, _, err := parseRecipients(recipients)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, parsed...)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, &Error{Kind: ErrRecipients, Code: diag.RepositoryUnusable, What: "can't encrypt to the recipients", Cause: err}
	}
	return out.Bytes(), nil
}
