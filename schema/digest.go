package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// digest is over everything that the configuration's meaning rests on and that
// may be told: the files' names and bytes, the values of variables that are not
// sensitive (so it is the same by whatever way a value was given), and what
// nonsensitive() let through. Secrets are not in it: planning and applying may
// see different ones.
func (l *loader) digest() string {
	h := sha256.New()
	item := func(kind, name, value string) {
		fmt.Fprintf(h, "%s %d %s %d %s\n", kind, len(name), name, len(value), value)
	}
	for _, f := range l.files {
		item("file", f.Name, string(f.Bytes))
	}
	for _, name := range keysOf(l.variables) {
		v := l.variables[name].value
		if v.ContainsMarked() || !v.IsWhollyKnown() {
			continue
		}
		if text, err := ctyjson.Marshal(v, v.Type()); err == nil {
			item("var", name, string(text))
		}
	}
	for _, text := range keysOf(l.revealed) {
		item("nonsensitive", "", text)
	}
	return hex.EncodeToString(h.Sum(nil))
}
