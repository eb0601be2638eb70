package repository

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/requeen/requeen/internal/diag"
)

// The kinds of errors, for errors.Is. What is returned is an *Error that wraps
// one of them.
var (
	ErrURL               = errors.New("repository URL not usable")
	ErrRecipients        = errors.New("recipients not usable")
	ErrUnavailable       = errors.New("repository not usable")
	ErrNoSpace           = errors.New("no space left in the repository")
	ErrNotFound          = errors.New("backup not found")
	ErrExists            = errors.New("backup exists already")
	ErrIncomplete        = errors.New("leftovers of a cut upload")
	ErrManifest          = errors.New("manifest not usable")
	ErrSignature         = errors.New("signature not usable")
	ErrDigest            = errors.New("stored bytes differ from the manifest")
	ErrNoIdentity        = errors.New("no identity to decrypt with")
	ErrWrongIdentity     = errors.New("identity does not open the backup")
	ErrEncryptedIdentity = errors.New("identity is itself encrypted")
	ErrLocked            = errors.New("locked by another run")
	ErrLockUntrusted     = errors.New("the repository can't hold a lock")
	ErrArchive           = errors.New("archive not usable")
	ErrNoPrivate         = errors.New("no private memory-backed directory")
	ErrNoRoom            = errors.New("too little room in memory")
)

// Error says what failed, in which repository, why that matters and what to do.
// It is a diag.Diagnostic for errors.As.
type Error struct {
	Kind   error  // one of the Err variables
	Code   string // RQ code, where there is one
	What   string
	URL    string // without credentials; empty where no repository is involved
	Why    string
	Remedy string
	Cause  error
}

// Error gives it all in one line.
func (e *Error) Error() string {
	var b strings.Builder
	if e.URL != "" {
		fmt.Fprintf(&b, "repository %s: ", e.URL)
	}
	b.WriteString(e.What)
	if detail := e.detail(); detail != "" {
		b.WriteString(": " + detail)
	}
	if e.Remedy != "" {
		b.WriteString(" (" + e.Remedy + ")")
	}
	return b.String()
}

func (e *Error) detail() string {
	var parts []string
	if e.Cause != nil {
		parts = append(parts, e.Cause.Error())
	}
	if e.Why != "" {
		parts = append(parts, e.Why)
	}
	return strings.Join(parts, ". ")
}

// Unwrap gives the kind and the cause.
func (e *Error) Unwrap() []error {
	list := []error{e.Kind}
	if e.Cause != nil {
		list = append(list, e.Cause)
	}
	return list
}

// As makes it a diagnostic.
func (e *Error) As(target any) bool {
	d, ok := target.(*diag.Diagnostic)
	if !ok {
		return false
	}
	*d = diag.Diagnostic{
		Severity: diag.Error, Code: e.Code, Summary: e.What,
		Detail: e.detail(), Remedy: e.Remedy,
	}
	if e.URL != "" {
		d.Summary = "repository " + e.URL + ": " + e.What
	}
	return true
}

// trouble is a cause in plain words, which knows better than whoever meets it
// what helps. Foreign words, which could hold a key, are only in err.
type trouble struct {
	text   string
	remedy string // "" when it is not known
	err    error
}

// Error gives the plain words.
func (t *trouble) Error() string { return t.text }

// Unwrap gives what the library said.
func (t *trouble) Unwrap() error { return t.err }

// failed makes an error of the repository's: no space gets its own kind and
// remedy, an error that says its kind already stays as it is.
func failed(url, what, why, remedy string, cause error) error {
	var known *Error
	if errors.As(cause, &known) {
		return cause
	}
	var told *trouble
	if errors.As(cause, &told) && told.remedy != "" {
		remedy = told.remedy
	}
	if isFull(cause) {
		return &Error{
			Kind: ErrNoSpace, Code: diag.RepositoryUnusable, URL: url, What: what, Cause: cause,
			Why:    "No backup was stored; what was written of it is removed",
			Remedy: "free space or raise the quota there, then run it again; requeen never removes a good backup to make room",
		}
	}
	return &Error{
		Kind: ErrUnavailable, Code: diag.RepositoryUnusable, URL: url, What: what, Cause: cause,
		Why: why, Remedy: remedy,
	}
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
