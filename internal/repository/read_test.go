package repository

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/crypto/ssh"

	"github.com/requeen/requeen/internal/diag"
)

func storedPath(root, name string) string { return filepath.Join(root, "prod", testID, name) }

// spoil changes a stored file.
func spoil(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, change(data), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What is stored is age over zstd over the bytes that came: other programs open
// it.
func TestStoredFormatOpensByHand(t *testing.T) {
	r, root := newRepository(t)
	for _, data := range [][]byte{archive(t, member{name: "a", kind: '0', data: "content"}), {}} {
		store1(t, r, testID, map[string][]byte{"swarm.tar": data})
		text, err := os.ReadFile(r.identity)
		if err != nil {
			t.Fatal(err)
		}
		ids, err := age.ParseIdentities(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(storedPath(root, "swarm.tar.zst.age"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		plain, err := age.Decrypt(f, ids...)
		if err != nil {
			t.Fatal(err)
		}
		z, err := zstd.NewReader(plain)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%q, %v", got, err)
		}
		if err := os.RemoveAll(filepath.Join(root, "prod")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPlaintextRepository(t *testing.T) {
	root := t.TempDir()
	r, err := Open(ctx, Options{URL: "file://" + root, Cluster: "prod", Plaintext: true})
	if err != nil {
		t.Fatal(err)
	}
	store1(t, r, testID, map[string][]byte{"swarm.tar": []byte("content")})
	data, err := os.ReadFile(storedPath(root, "swarm.tar.zst"))
	if err != nil || !bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		t.Errorf("no zstd: %x, %v", data, err)
	}
	// Whoever has only the URL reads it as well.
	again, err := Open(ctx, Options{URL: "file://" + root, Cluster: "prod"})
	if err != nil {
		t.Fatal(err)
	}
	if got := readObject(t, again, testID, "swarm.tar"); string(got) != "content" {
		t.Errorf("%q", got)
	}
	if b, err := again.Get(ctx, testID); err != nil || !b.PlainStored || b.Recipients != nil {
		t.Errorf("%+v, %v", b, err)
	}
	if _, err := again.Create(ctx, "20260301T040506Z-ffffff"); !errors.Is(err, ErrRecipients) {
		t.Errorf("storing in clear without having been told so: %v", err)
	}
}

// However the stored bytes are altered, the reader is told before io.EOF, and
// so is who verifies digests.
func TestAlteredBytesAreNoticed(t *testing.T) {
	changes := map[string]func([]byte) []byte{
		"a bit in the header":  func(b []byte) []byte { b[40] ^= 1; return b },
		"a bit in the middle":  func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"a bit in the end":     func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"cut":                  func(b []byte) []byte { return b[:len(b)-100] },
		"empty":                func([]byte) []byte { return nil },
		"something appended":   func(b []byte) []byte { return append(b, 0) },
		"another one's header": func(b []byte) []byte { return append([]byte("age-encryption.org/v1\n-> X25519 x\n"), b...) },
	}
	for name, change := range changes {
		for _, plaintext := range []bool{false, true} {
			r, root := newRepository(t)
			object := "swarm.tar.zst.age"
			if plaintext {
				r.sealer, object = &sealer{plaintext: true}, "swarm.tar.zst"
			}
			store1(t, r, testID, map[string][]byte{"swarm.tar": content(9, 300_000)})
			spoil(t, storedPath(root, object), change)
			in, err := r.OpenObject(ctx, testID, "swarm.tar")
			if err == nil {
				_, err = io.ReadAll(in)
				if _, again := in.Read(make([]byte, 1)); again == nil || again == io.EOF {
					t.Errorf("%s: a further Read gives %v", name, again)
				}
				in.Close()
			}
			if !errors.Is(err, ErrDigest) || diag.From(err)[0].Code != diag.BackupDamaged {
				t.Errorf("%s, plaintext %v: read: %v", name, plaintext, err)
			}
			if err := r.VerifyObjects(ctx, testID); !errors.Is(err, ErrDigest) {
				t.Errorf("%s, plaintext %v: verified: %v", name, plaintext, err)
			}
		}
	}
}

// Bytes that decode without an error, but are not those that were stored, are
// noticed by their digest.
func TestOtherBytesThatDecode(t *testing.T) {
	r, root := newRepository(t)
	store1(t, r, testID, map[string][]byte{"swarm.tar": []byte("this one")})
	var other bytes.Buffer
	if err := r.sealer.copy(&other, strings.NewReader("that one")); err != nil {
		t.Fatal(err)
	}
	spoil(t, storedPath(root, "swarm.tar.zst.age"), func([]byte) []byte { return other.Bytes() })
	in, err := r.OpenObject(ctx, testID, "swarm.tar")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if got, err := io.ReadAll(in); !errors.Is(err, ErrDigest) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestMissingThings(t *testing.T) {
	r, root := newRepository(t)
	store1(t, r, testID, map[string][]byte{"swarm.tar": []byte("x"), "config.tar": []byte("y")})
	if _, err := r.OpenObject(ctx, testID, "volume.tar"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	for _, id := range []string{"20260301T040506Z-000000", "nonsense", "../prod", ""} {
		if _, err := r.Get(ctx, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if err := os.Remove(storedPath(root, "config.tar.zst.age")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.OpenObject(ctx, testID, "config.tar"); !errors.Is(err, ErrDigest) {
		t.Error(err)
	}
	if err := r.VerifyObjects(ctx, testID); !errors.Is(err, ErrDigest) || !strings.Contains(err.Error(), "config.tar.zst.age") {
		t.Error(err)
	}
	if got := readObject(t, r, testID, "swarm.tar"); string(got) != "x" {
		t.Error("what is there can't be read any more")
	}
}

// sshPair writes an OpenSSH private key and gives its public line.
func sshPair(t *testing.T, key any, passphrase string) (file, line string) {
	t.Helper()
	var (
		block *pem.Block
		err   error
	)
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, "somebody")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "somebody", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))) + " somebody@example"
}

func sshKeys(t *testing.T) (ed25519.PrivateKey, *rsa.PrivateKey) {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	second, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return ed, second
}

func TestIdentities(t *testing.T) {
	ageFile, ageLine := keyPair(t)
	edKey, rsaKey := sshKeys(t)
	edFile, edLine := sshPair(t, edKey, "")
	rsaFile, rsaLine := sshPair(t, rsaKey, "")
	lockedFile, _ := sshPair(t, edKey, "secret")
	strange, _ := keyPair(t)
	junk := filepath.Join(t.TempDir(), "junk")
	if err := os.WriteFile(junk, []byte("AGE-SECRET-KEY-1TYPO\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	root := t.TempDir()
	r, err := Open(ctx, Options{URL: "file://" + root, Cluster: "prod", Recipients: []string{ageLine, edLine, rsaLine}})
	if err != nil {
		t.Fatal(err)
	}
	store1(t, r, testID, map[string][]byte{"swarm.tar": []byte("content")})
	if b, err := r.Get(ctx, testID); err != nil || len(b.Recipients) != 3 || strings.Contains(strings.Join(b.Recipients, ""), "somebody") {
		t.Errorf("recipients in the manifest: %v, %v", b.Recipients, err)
	}
	small, err := EncryptSmall([]string{ageLine, edLine, rsaLine}, []byte("SWMKEY"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file string
		want error
	}{
		{ageFile, nil}, {edFile, nil}, {rsaFile, nil},
		{"", ErrNoIdentity}, {filepath.Join(root, "none"), ErrNoIdentity}, {root, ErrNoIdentity}, {junk, ErrNoIdentity},
		{strange, ErrWrongIdentity}, {lockedFile, ErrEncryptedIdentity},
	} {
		r.identity = c.file
		in, err := r.OpenObject(ctx, testID, "swarm.tar")
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.file, err, c.want)
		}
		if err == nil {
			if got, err := io.ReadAll(in); err != nil || string(got) != "content" {
				t.Errorf("%s: %q, %v", c.file, got, err)
			}
			in.Close()
		}
		got, err := DecryptSmall(c.file, small)
		if !errors.Is(err, c.want) || (err == nil && string(got) != "SWMKEY") {
			t.Errorf("%s: small: %q, %v", c.file, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "TYPO") {
			t.Errorf("an error tells what is in an identity file: %v", err)
		}
	}
	small[len(small)-1] ^= 1
	if _, err := DecryptSmall(ageFile, small); !errors.Is(err, ErrDigest) {
		t.Errorf("an altered key: %v", err)
	}
}

func TestRecipients(t *testing.T) {
	_, good := keyPair(t)
	if err := ParseRecipients([]string{good, " " + strings.Repeat(" ", 2)}); err == nil {
		t.Error("an empty one is accepted")
	}
	secret := "AGE-SECRET-KEY-1QQPQQQQ"
	err := ParseRecipients([]string{good, good, secret, "age1nonsense", "ssh-rsa AAAA", "ecdsa-sha2-nistp256 AAAA", "age1pq1qqqq", "age1yubikey1qqqq"})
	if !errors.Is(err, ErrRecipients) {
		t.Fatal(err)
	}
	for _, want := range []string{"number 2: it is the same as number 1", "number 3: it is a private key", "number 4", "number 5", "number 6", "number 7", "number 8"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	if strings.Contains(err.Error(), secret) {
		t.Error("a private key is repeated in an error")
	}
	if err := ParseRecipients(nil); !errors.Is(err, ErrRecipients) {
		t.Error(err)
	}
	if err := ParseRecipients([]string{good}); err != nil {
		t.Error(err)
	}
	if _, err := EncryptSmall(nil, []byte("x")); !errors.Is(err, ErrRecipients) {
		t.Error(err)
	}
}
