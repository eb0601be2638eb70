package schema

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const redacted = "(sensitive)"

// Secret is a value that is never shown: it prints as (sensitive) under every
// verb of fmt, as JSON, as text and in slog. The zero Secret is not set.
//
// The value is held by a pointer inside a pointer-free shell, so that even
// where fmt can't call methods (an unexported field, the verb %p) an address is
// all that is printed.
type Secret struct {
	value *string
	set   bool
}

// NewSecret makes a Secret that is set and known. Trailing newlines are
// trimmed: keys come from files and commands that end in one.
func NewSecret(value string) Secret {
	value = strings.TrimRight(value, "\r\n")
	return Secret{value: &value, set: true}
}

// UnknownSecret makes a Secret that is set to something not known here, as by
// env() of a variable that is not set.
func UnknownSecret() Secret { return Secret{set: true} }

// Set tells whether the configuration has the attribute at all.
func (s Secret) Set() bool { return s.set }

// Known tells whether the value is known here.
func (s Secret) Known() bool { return s.value != nil }

// Reveal gives the value, "" if it is not known.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Equal tells whether both are set, known and valued alike.
func (s Secret) Equal(o Secret) bool {
	return s.set == o.set && s.Known() == o.Known() && s.Reveal() == o.Reveal()
}

// String is "(sensitive)".
func (s Secret) String() string { return redacted }

// GoString is "(sensitive)".
func (s Secret) GoString() string { return redacted }

// Format writes "(sensitive)" under every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText is "(sensitive)".
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON is "(sensitive)" as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue is "(sensitive)".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
