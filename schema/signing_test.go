package schema

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

const (
	sampleVerifyKey = "ed25519:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	sampleSignKey   = "ED25519-SECRET-KEY:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

// What sign_key may be: a path, or the key itself out of where it is not shown; and
// it prints nowhere.
func TestSignKey(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]struct {
		file       string
		set, known bool
	}{
		`"sign.key"`:           {file: "sign.key"},
		`"/etc/rq/sign.key"`:   {file: "/etc/rq/sign.key"},
		`env("SIGN_KEY_FILE")`: {file: "/run/sign.key"},
		`env("SIGN_KEY")`:      {set: true, known: true},
		`file("key.txt")`:      {set: true, known: true},
		`env("NOT_SET")`:       {set: true},
		`null`:                 {},
	} {
		src := least + fmt.Sprintf("repository \"nas\" {\n  url = \"file:///srv/a\"\n  plaintext = true\n  verify_key = [%q]\n  sign_key = %s\n}\n", sampleVerifyKey, value)
		files := oneFile(src)
		files.Name = "main.rq.hcl"
		key := files
		key.Name, key.Data = "key.txt", []byte("# verify_key: "+sampleVerifyKey+"\n"+sampleSignKey+"\n")
		dir := writeFiles(t, files, key)
		cfg := mustLoad(t, dir, Options{Environ: []string{"SIGN_KEY=" + sampleSignKey, "SIGN_KEY_FILE=/run/sign.key"}})
		r := cfg.Repository("nas")
		file := want.file
		if file != "" && !filepath.IsAbs(file) {
			file = filepath.Join(cfg.Dir, file)
		}
		if r.SignKeyFile != file || r.SignKey.Set() != want.set || r.SignKey.Known() != want.known || r.SignKeySet() != (want.set || file != "") || !r.Signs() {
			t.Errorf("%s: %+v", value, r)
		}
		if strings.Contains(fmt.Sprintf("%+v %#v", cfg.Repositories, cfg.Repositories), sampleSignKey) {
			t.Errorf("%s: the key is printed", value)
		}
		if source, err := Source(cfg, SourceOptions{}); err != nil || strings.Contains(string(source), sampleSignKey) || strings.Contains(string(source), "# sign_key is left out") != want.set {
			t.Errorf("%s: %v\n%s", value, err, source)
		}
	}
}
