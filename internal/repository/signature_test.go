package repository

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// signedRepository is a repository of newRepository that signs, and its keys.
func signedRepository(t *testing.T) (r *Repository, root, private, public string) {
	t.Helper()
	private, public, err := NewSignKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, root = newRepository(t)
	return withKeys(t, r, private, public), root, private, public
}

func withKeys(t *testing.T, r *Repository, private string, public ...string) *Repository {
	t.Helper()
	o := r.opts
	o.VerifyKeys, o.SignKey = public, SignKey{}
	if private != "" {
		o.SignKey.Text = func() string { return private }
	}
	out, err := Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	out.store, out.clock = r.store, r.clock
	return out
}

func manifestOf(root, id string) string {
	return filepath.Join(root, "prod", id, "manifest.json")
}

func TestSignedBackup(t *testing.T) {
	t.Parallel()
	r, _, _, public := signedRepository(t)
	if err := tryStore(ctx, r, testID, map[string][]byte{"swarm.tar": content(5, 1000)}); err != nil {
		t.Fatal(err)
	}
	for _, level := range []string{state.LevelObjects, state.LevelPlan} {
		if err := r.RecordChecked(ctx, testID, level, level == state.LevelPlan, openedAt); err != nil {
			t.Fatal(err)
		}
		b, err := r.Get(ctx, testID)
		if err != nil || b.Problem != nil || b.Signature == nil || b.Signature.Key != public || !b.Checked.Objects.Equal(openedAt) {
			t.Fatalf("after %s: %+v, %v", level, b, err)
		}
		if opened := b.Checked.Plan.Equal(openedAt) && b.Checked.Raft.Equal(openedAt) && b.OpenedAt.Equal(openedAt); opened != (level == state.LevelPlan) {
			t.Errorf("after %s: %+v, opened %s", level, b.Checked, b.OpenedAt)
		}
	}
	if err := r.VerifyObjects(ctx, testID); err != nil {
		t.Error(err)
	}
	// Who reads needs the public key alone, and one of several.
	_, other, _ := NewSignKey(rand.Reader)
	if b, err := withKeys(t, r, "", other, public).Get(ctx, testID); err != nil || b.Problem != nil {
		t.Errorf("%+v, %v", b.Problem, err)
	}
	// Without verify keys it is a backup like any other.
	if b, err := withKeys(t, r, "").Get(ctx, testID); err != nil || b.Problem != nil {
		t.Errorf("%+v, %v", b.Problem, err)
	}
}

// Whatever is changed in a signed manifest, the backup counts for nothing, nothing
// of it is opened, and the list says why.
func TestForgedManifest(t *testing.T) {
	t.Parallel()
	_, foreign, _ := NewSignKey(rand.Reader)
	edits := map[string]func(m map[string]any){
		"another swarm":     func(m map[string]any) { m["swarm_id"] = "anotherswarmanotherswarm1" },
		"another time":      func(m map[string]any) { m["taken_at"] = "2031-01-01T00:00:00Z" },
		"another archive":   func(m map[string]any) { stored(m)["object_sha256"] = strings.Repeat("ab", 32) },
		"another size":      func(m map[string]any) { stored(m)["size"] = 1 },
		"an archive less":   func(m map[string]any) { m["stored"] = m["stored"].([]any)[:1] },
		"another block":     func(m map[string]any) { m["backup"] = "other" },
		"another epoch":     func(m map[string]any) { m["epoch"] = "e2" },
		"a key more":        func(m map[string]any) { m["from_the_future"] = 1 },
		"a key by its case": func(m map[string]any) { m["Opened_at"] = "2031-01-01T00:00:00Z" },
		"no signature":      func(m map[string]any) { delete(m, "signature") },
		"an empty one":      func(m map[string]any) { m["signature"] = map[string]any{"key": foreign, "ed25519": ""} },
		"another key's":     func(m map[string]any) { m["signature"].(map[string]any)["ed25519"] = strings.Repeat("A", 86) + "==" },
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, root, _, _ := signedRepository(t)
			if err := tryStore(ctx, r, testID, map[string][]byte{"swarm.tar": content(5, 1000), "config.tar": content(6, 10)}); err != nil {
				t.Fatal(err)
			}
			rewrite(t, manifestOf(root, testID), edit)
			list, err := r.List(ctx)
			if err != nil || len(list) != 1 || list[0].Problem == nil || list[0].Problem.Code != diag.BackupNotSigned {
				t.Fatalf("%+v, %v", list, err)
			}
			if err := r.VerifyObjects(ctx, testID); !errors.Is(err, ErrSignature) {
				t.Errorf("verified: %v", err)
			}
			if _, err := r.OpenObject(ctx, testID, "swarm.tar"); !errors.Is(err, ErrSignature) {
				t.Errorf("opened: %v", err)
			}
		})
	}
}

func stored(m map[string]any) map[string]any { return m["stored"].([]any)[0].(map[string]any) }

func rewrite(t *testing.T, path string, edit func(m map[string]any)) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	edit(m)
	if data, err = json.Marshal(m); err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A manifest is good in its own place only: a backup that is moved to another ID, so
// that it looks newer, or to another cluster, is none.
func TestReplayedManifest(t *testing.T) {
	t.Parallel()
	r, root, _, _ := signedRepository(t)
	if err := tryStore(ctx, r, testID, map[string][]byte{"swarm.tar": content(5, 1000)}); err != nil {
		t.Fatal(err)
	}
	newer := "20991231T235959Z-ffffff"
	if err := os.CopyFS(filepath.Join(root, "prod", newer), os.DirFS(filepath.Join(root, "prod", testID))); err != nil {
		t.Fatal(err)
	}
	rename := func(m map[string]any) { m["id"] = newer }
	for _, edit := range []func(map[string]any){func(map[string]any) {}, rename} {
		rewrite(t, manifestOf(root, newer), edit)
		list, err := r.List(ctx)
		if err != nil || len(list) != 2 {
			t.Fatalf("%+v, %v", list, err)
		}
		for _, b := range list {
			if (b.Problem == nil) != (b.ID == testID) {
				t.Errorf("%s: %+v", b.ID, b.Problem)
			}
		}
	}
}

// A key that stands twice is read as it is signed: what Go merges out of two
// objects is used nowhere.
func TestKeyThatStandsTwice(t *testing.T) {
	t.Parallel()
	r, root, _, _ := signedRepository(t)
	if err := tryStore(ctx, r, testID, map[string][]byte{"swarm.tar": content(5, 1000)}); err != nil {
		t.Fatal(err)
	}
	path := manifestOf(root, testID)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.Replace(data, []byte("{\n"), []byte(`{"raft": {"epoch": "slipped in", "external_ca": true}, "suspect": ["x"], "opening": {}, `), 1)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := r.Get(ctx, testID)
	if err != nil || b.Problem == nil && (b.Raft.Epoch != "" || b.Raft.ExternalCA) || b.Opening != nil {
		t.Errorf("%+v, %v", b, err)
	}
}

// Where a verify key is declared nothing is stored without its private half, and
// that is told before anything is.
func TestNoKeyToSignWith(t *testing.T) {
	t.Parallel()
	signed, root, private, _ := signedRepository(t)
	otherPrivate, _, _ := NewSignKey(rand.Reader)
	file := filepath.Join(filepath.Dir(root), "sign.key")
	if err := os.WriteFile(file, []byte("# a comment\n"+private+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]SignKey{
		"none":           {},
		"another":        {Text: func() string { return otherPrivate }},
		"no key":         {Text: func() string { return "secret" }},
		"no file":        {File: file + ".gone"},
		"open to others": {File: file},
	} {
		o := signed.opts
		o.SignKey = key
		r, err := Open(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		var d diag.Diagnostic
		if err := CanSign(o); !errors.As(err, &d) || d.Code != diag.NoSignKey || d.Remedy == "" {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), private[20:40]) {
			t.Errorf("%s: the error tells the key", name)
		}
		if _, err := r.Create(ctx, testID); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: created: %v", name, err)
		}
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	o := signed.opts
	o.SignKey = SignKey{File: file}
	if err := CanSign(o); err != nil {
		t.Error(err)
	}
	o.VerifyKeys, o.SignKey = nil, SignKey{}
	if err := CanSign(o); err != nil {
		t.Error(err)
	}
	if _, err := Open(ctx, Options{URL: o.URL, Cluster: "prod", VerifyKeys: []string{private}}); err == nil || strings.Contains(err.Error(), private) {
		t.Errorf("a private key as a verify key: %v", err)
	}
}
