package schema

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// The two halves of a key for signatures begin with these; internal/repository
// reads them in full.
const (
	verifyKeyPrefix = "ed25519:"
	signKeyPrefix   = "ED25519-SECRET-KEY:"
)

var signingAttrs = []attrSpec{
	{name: "verify_key", typ: "list of strings", def: "none: nothing is signed", doc: "The public keys, `ed25519:…`, of which one has to fit a backup's signature: a backup without one is listed as suspect, satisfies no max_age and is never restored, so that whoever can write to the repository can't slip in a swarm of his own. `requeen backup keygen` makes a key. A list, so that backups of an earlier key count until they are gone.",
		misuse: []string{"an empty list", "a key that is mistyped or stands twice", "a private key"}},
	{name: "sign_key", typ: "path or key", def: "none", secret: true, doc: "The private key with which `apply` signs the backups that it makes: the path of its file, of mode 0600 and relative to the configuration's directory, or the key itself out of `env()` or a sensitive variable. An `env()` that is not set leaves it out; where it is not at hand no backup is planned, and nothing is stopped for one.",
		misuse: []string{"without verify_key", "a path that begins with `~`", "a key written into the files is a warning"}},
}

// Signs tells whether backups in the repository are signed.
func (r *Repository) Signs() bool { return len(r.VerifyKeys) > 0 }

// SignKeySet tells whether the private key is given at all, known here or not.
func (r *Repository) SignKeySet() bool { return r.SignKeyFile != "" || r.SignKey.Set() }

func (l *loader) readSigning(c *content, r *Repository) {
	keys := l.strs(c, "verify_key", scope{})
	if keys.ok && len(keys.val) == 0 {
		l.err(keys.at, "No verify key", "The list is empty: no backup's signature could fit.", "Name the key that requeen backup keygen prints, or leave verify_key out.")
	}
	l.onceEach(c, "verify_key", keys)
	for i, s := range keys.val {
		s = strings.TrimSpace(s)
		if l.checkVerifyKey(s, itemRange(c.attrs["verify_key"].Expr, i, len(keys.val))) {
			r.VerifyKeys = append(r.VerifyKeys, s)
		}
	}
	f := l.str(c, "sign_key", scope{})
	if !f.ok {
		return
	}
	if !keys.present {
		l.err(f.at, "sign_key without verify_key", "Nobody could tell a backup that is signed from one that is not.", "Add verify_key with the public key that requeen backup keygen prints, or leave sign_key out.")
		return
	}
	l.readSignKey(f, r)
}

func (l *loader) checkVerifyKey(s string, at hcl.Range) bool {
	if strings.Contains(s, signKeyPrefix) || strings.Contains(s, "PRIVATE KEY") {
		l.errHidden(at, "Private key in verify_key", "A verify key is the public half; this key is now to be taken as known to others.", "Make a new pair with requeen backup keygen, and name the public key that it prints.")
		return false
	}
	raw, is := strings.CutPrefix(s, verifyKeyPrefix)
	if key, err := base64.StdEncoding.Strict().DecodeString(raw); !is || err != nil || len(key) != 32 {
		l.err(at, "Not a verify key", fmt.Sprintf("%q is not ed25519: and 44 characters of base64.", s), "Write it as requeen backup keygen prints it.")
		return false
	}
	return true
}

// readSignKey takes the private key, or the path of its file, which is not secret
// in itself.
func (l *loader) readSignKey(f field[string], r *Repository) {
	text := strings.TrimSpace(f.val)
	switch {
	case !f.known || text == "":
		r.SignKey = UnknownSecret()
	case strings.Contains(text, signKeyPrefix):
		r.SignKey = NewSecret(text)
		if !f.sensitive {
			l.warn(f.at, "Private key that is not sensitive", "It is written where it can be read, in these files or in a variable that is shown: whoever has it can make backups that count as yours.", `Use env("…"), file("…") or a variable with sensitive = true, and make a new pair if the files are in git.`)
			l.diags[len(l.diags)-1].Snippet = redacted
			l.secret(stringVal(text))
		}
	case strings.Contains(text, "PRIVATE KEY") || strings.ContainsAny(text, "\x00\r\n"):
		l.errHidden(f.at, "Not a key to sign with", "It is neither the path of a file nor a key of requeen backup keygen.", "Make one with requeen backup keygen.")
	case strings.HasPrefix(text, "~"):
		l.err(f.at, "Path that a shell would expand", "A ~ has no meaning here.", `Write "${env("HOME")}/…".`)
	case filepath.IsAbs(text):
		r.SignKeyFile = filepath.Clean(text)
	default:
		r.SignKeyFile = filepath.Join(l.dir, text)
	}
}

func (w *sourceWriter) signing(r *Repository) {
	w.texts("verify_key", r.VerifyKeys)
	w.text("sign_key", r.SignKeyFile)
	if r.SignKey.Set() {
		w.comment("", "sign_key is left out, because it is a secret. Where backups are made:\nsign_key = env(\"SIGN_KEY\")")
	}
}

// checkEscrow refuses an unlock key that would lie beside what it opens, in clear.
func (l *loader) checkEscrow(b Backup, at backupPlaces) {
	for _, name := range b.Places() {
		r := l.cfg.Repository(name)
		if !b.KeyEscrow || r == nil || !r.Plaintext {
			continue
		}
		l.err(at.escrow, "Unlock key in a repository that is in clear", fmt.Sprintf("Repository %q has plaintext = true: whoever reads it would have the unlock key, too, and auto-lock would protect nothing.", r.Name),
			"Name recipients in the repository block, or leave unlock_key_escrow out.")
	}
}
