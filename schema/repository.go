package schema

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

var repositorySpec = &blockSpec{
	name: "repository", label: "the repository's name", count: "any number",
	doc: "A place where backups are kept. Exactly one of recipients and plaintext is given.",
	misuse: []string{
		"two repositories with one name",
		"neither recipients nor plaintext = true, or both",
	},
	attrs: append([]attrSpec{
		{name: "url", typ: "URL", required: true, doc: "Where it is: `file:///absolute/path`, on the machine on which requeen runs, or `s3://`, `gs://` or `azblob://` with a bucket and a path in it.",
			misuse: []string{"another scheme", "of `file://` a relative path, a host, a query", "credentials in the URL", "a parameter that is not known"}},
		{name: "recipients", typ: "list of strings", doc: "The public keys to which backups are encrypted: `age1…`, `ssh-ed25519 …`, `ssh-rsa …`.",
			misuse: []string{"an empty list", "a recipient that is mistyped or of another kind", "a private key", "a recipient that stands twice is a warning"}},
		{name: "plaintext", typ: "bool", def: "false", doc: "Stores backups in clear: whoever reads the repository has the swarm's keys and secrets."},
		{name: "identity", typ: "path", def: "none", secret: true, doc: "The path of the identity file that opens the backups, relative to the configuration's directory; needed only to read back and to restore. An `env()` that is not set leaves it out.",
			misuse: []string{"the key itself", "a path that begins with `~`"}},
	}, signingAttrs...),
	notes: repositoryNotes,
	example: `repository "offsite" {
  url        = "file:///srv/swarm-backups"
  recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]
  identity   = env("RQ_IDENTITY_FILE")
}`,
}

func stringVal(s string) cty.Value { return cty.StringVal(s) }

func (l *loader) readRepositories() {
	first := map[string]hcl.Range{}
	for _, b := range l.blocks["repository"] {
		c := l.read(repositorySpec, b)
		if c.name == "" || !l.goodName(c.name, c.label) || !l.once(first, c) {
			continue
		}
		r := Repository{Name: c.name, Range: toRange(c.def)}
		if f := l.str(c, "url", scope{}); f.ok {
			r.URL = f.val
			l.checkURL(f)
		}
		l.readRecipients(c, &r)
		r.Identity = l.readIdentity(c)
		l.readSigning(c, &r)
		l.cfg.Repositories = append(l.cfg.Repositories, r)
	}
}

// once notes a block's label, and tells where it is used before.
func (l *loader) once(first map[string]hcl.Range, c *content) bool {
	if at, again := first[c.name]; again {
		l.err(c.label, "Name used twice", fmt.Sprintf("There is a %s %q at %s.", c.spec.name, c.name, place(at)), "Rename one of them.")
		return false
	}
	first[c.name] = c.label
	return true
}

func (l *loader) readRecipients(c *content, r *Repository) {
	rec, plain := l.strs(c, "recipients", scope{}), l.bool(c, "plaintext", scope{})
	r.Plaintext = plain.val
	const remedy = `Write recipients = ["age1…"], or plaintext = true to store backups in clear.`
	switch {
	case rec.present && !rec.ok || plain.present && !plain.ok || l.brokenFile[c.def.Filename]:
	case rec.present && len(rec.val) == 0:
		l.err(rec.at, "No recipients", "The list is empty: nobody could open the backups.", remedy)
	case rec.present && plain.val:
		l.err(plain.at, "Both recipients and plaintext", "A repository is either encrypted or in clear.", "Keep one of the two.")
	case !rec.present && !plain.val:
		l.err(c.def, "Neither recipients nor plaintext", fmt.Sprintf("%s does not say to whom its backups are encrypted.", c.title()), remedy)
	}
	seen := map[string]bool{}
	for i, s := range rec.val {
		s = strings.TrimSpace(s)
		at := itemRange(c.attrs["recipients"].Expr, i, len(rec.val))
		l.checkRecipient(s, at)
		if seen[s] {
			l.warn(at, "Recipient that stands twice", fmt.Sprintf("%q is named twice.", s), "Remove one.")
			continue
		}
		seen[s] = true
		r.Recipients = append(r.Recipients, s)
	}
}

// itemRange is where an item of a list stands, if the list is written out.
func itemRange(e hclsyntax.Expression, i, n int) hcl.Range {
	if t, ok := e.(*hclsyntax.TupleConsExpr); ok && len(t.Exprs) == n {
		return t.Exprs[i].Range()
	}
	return e.Range()
}

func (l *loader) checkRecipient(s string, at hcl.Range) {
	if strings.Contains(strings.ToUpper(s), "AGE-SECRET-KEY-") || strings.Contains(s, "PRIVATE KEY") {
		l.errHidden(at, "Private key among the recipients", "A recipient is the public half; this key is now to be taken as known to others.", "Replace the key pair, and name the recipient that age-keygen -y tells.")
		return
	}
	if err := recipientError(s); err != nil {
		l.err(at, "Not a recipient", fmt.Sprintf("%q is not a recipient: %s.", s, err), "Write age1… (age-keygen -y), or the line of an ssh-ed25519 or ssh-rsa public key.")
	}
}

// readIdentity gives the identity's path, which may be sensitive but is not
// secret in itself.
func (l *loader) readIdentity(c *content) string {
	l.unneeded++
	f := l.str(c, "identity", scope{})
	l.unneeded--
	if !f.ok || !f.known || f.val == "" {
		return ""
	}
	p := strings.TrimRight(f.val, "\r\n")
	switch {
	case strings.Contains(strings.ToUpper(p), "AGE-SECRET-KEY-") || strings.Contains(p, "PRIVATE KEY"):
		l.errHidden(f.at, "Key instead of a path", "identity is the path of a file that holds the key, and this is the key itself.", "Store the key in a file of mode 0600 and name the file.")
		return ""
	case strings.HasPrefix(p, "~"):
		l.err(f.at, "Path that a shell would expand", "A ~ has no meaning here.", `Write "${env("HOME")}/…".`)
		return ""
	case strings.ContainsAny(p, "\x00\n"):
		l.err(f.at, "Not a path", "A path has neither a NUL nor a new line.", "Name the identity's file.")
		return ""
	}
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	return filepath.Join(l.dir, p)
}
