package repository

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/url"
	"path/filepath"
	"sort"
	"strings"

	"github.com/requeen/requeen/internal/diag"
)

var errTooLong = errors.New("longer than it may be")

// Options say which repository to open and how.
type Options struct {
	Name    string // the repository block's label, for messages
	URL     string // file:///…, s3://…, gs://… or azblob://…
	Cluster string // the cluster block's label

	// Recipients are whom new backups are encrypted to; Plaintext instead of
	// them stores backups in clear. Neither is needed to list and read.
	Recipients []string
	Plaintext  bool
	// IdentityFile is the path of what opens encrypted backups; read when one
	// is opened.
	IdentityFile string

	// VerifyKeys are the public keys of which one has to fit a manifest's
	// signature; with none nothing is signed or compared. SignKey is where the
	// private key is; read when a backup is made.
	VerifyKeys []string
	SignKey    SignKey

	// SideBySide says that this process stores another archive at the same time: each
	// is compressed by one processor, and two take no more memory than one alone does.
	SideBySide bool
}

// Repository is one cluster's part of a repository. Its methods may be called
// from several goroutines.
type Repository struct {
	name     string
	url      string // for people: without credentials
	cluster  string
	opts     Options
	store    store
	sealer   *sealer // nil when nothing can be written
	clock    clock
	identity string
	verify   []ed25519.PublicKey
}

// Open checks the options and gives the repository. It contacts and creates
// nothing: a directory is made by the first write.
func Open(_ context.Context, o Options) (*Repository, error) {
	s, err := openStore(o.URL)
	if err != nil {
		return nil, err
	}
	r := &Repository{
		name: o.Name, url: redact(o.URL), cluster: o.Cluster, opts: o, store: s,
		clock: realClock, identity: o.IdentityFile,
	}
	if err := checkCluster(o.Cluster); err != nil {
		return nil, r.refuse(ErrURL, err.Error(), "The label is the backups' place in the repository", "rename the cluster block", nil)
	}
	if r.verify, err = parseVerifyKeys(o.VerifyKeys); err != nil {
		return nil, err
	}
	if o.Plaintext && len(o.Recipients) > 0 {
		return nil, r.refuse(ErrRecipients, "both recipients and plaintext are set",
			"It can't be both, and guessing could store the cluster's keys in clear", "remove one of the two", nil)
	}
	if o.Plaintext || len(o.Recipients) > 0 {
		if r.sealer, err = newSealer(o.Recipients, o.Plaintext); err != nil {
			return nil, err
		}
		_, bucket := s.(*objectStore)
		r.sealer.lean = o.SideBySide || bucket // a bucket's line is slower than one compressor, and its parts take memory
	}
	return r, nil
}

// Name is the repository block's label.
func (r *Repository) Name() string { return r.name }

// URL is the repository's URL without credentials.
func (r *Repository) URL() string { return r.url }

// Close lets go of what was opened.
func (r *Repository) Close() error { return r.store.close() }

// CheckURL tells whether a URL can be a repository's, without looking at it.
func CheckURL(raw string) error {
	s, err := openStore(raw)
	if err != nil {
		return err
	}
	return s.close()
}

// Clusters tells the labels that have a place in a repository, for when there
// is a URL and nothing else.
func Clusters(ctx context.Context, raw string) ([]string, error) {
	s, err := openStore(raw)
	if err != nil {
		return nil, err
	}
	defer s.close()
	all, err := s.names(ctx, "")
	if err != nil {
		return nil, failed(redact(raw), "it can't be listed", "Which clusters have backups there is unknown", "mend what the message names", err)
	}
	var list []string
	for _, label := range all {
		if checkCluster(label) == nil {
			list = append(list, label)
		}
	}
	sort.Strings(list)
	return list, nil
}

// openStore is the one place that knows schemes.
func openStore(raw string) (store, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" {
		return nil, badURL(raw, "the URL can't be read", "write it as file:///srv/backups/swarm or s3://my-bucket/swarm")
	}
	switch u.Scheme {
	case "file":
		return openFile(raw, u)
	case "s3":
		return openS3(raw, u)
	case "gs":
		return openGS(raw, u)
	case "azblob":
		return openAzure(raw, u)
	default:
		return nil, badURL(raw, "there are no "+u.Scheme+":// repositories", "use file:///…, s3://…, gs://… or azblob://…")
	}
}

func openFile(raw string, u *url.URL) (store, error) {
	switch {
	case u.Host == "." || u.Opaque != "" || (u.Host != "" && u.Host != "localhost"):
		return nil, badURL(raw, "a file:// URL must have an absolute path", "write three slashes: file:///srv/backups/swarm")
	case u.User != nil:
		return nil, badURL(raw, "a file:// URL takes no user or password", "leave it out")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, badURL(raw, "a file:// URL takes no parameters", "leave out what follows the path; requeen sets modes and temporary files itself")
	case !filepath.IsAbs(u.Path) || filepath.Clean(u.Path) == string(filepath.Separator) || strings.ContainsRune(u.Path, 0):
		return nil, badURL(raw, "a file:// URL must name a directory below /", "write it as file:///srv/backups/swarm")
	}
	return newFileStore(filepath.Clean(u.Path)), nil
}

func badURL(raw, what, remedy string) error {
	return &Error{
		Kind: ErrURL, Code: diag.RepositoryUnusable, What: what, URL: redact(raw),
		Why: "Backups can be neither stored there nor found", Remedy: remedy,
	}
}

// redact takes credentials out of a URL: the password, and parameters, which
// for some schemes carry keys.
func redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(a URL that can't be read)"
	}
	u.User = nil
	if u.RawQuery != "" {
		u.RawQuery = "…"
	}
	u.Fragment = ""
	return u.String()
}

func (r *Repository) refuse(kind error, what, why, remedy string, cause error) error {
	code := diag.RepositoryUnusable
	if errors.Is(kind, ErrDigest) || errors.Is(kind, ErrManifest) {
		code = diag.BackupDamaged
	}
	return &Error{Kind: kind, Code: code, URL: r.url, What: what, Why: why, Remedy: remedy, Cause: cause}
}
