package repository

import (
	"bytes"
	"os"
	"testing"
)

// What is encrypted and signed anew is what the key vouched for: nothing that stands in
// the manifest beside it, and that Go would merge into it, is signed with it.
func TestCopyAnewSignsWhatWasSigned(t *testing.T) {
	t.Parallel()
	signed, root, _, _ := signedRepository(t)
	storedIn(t, signed)
	path := manifestOf(root, testID)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.Replace(data, []byte("{\n"), []byte(`{"raft": {"epoch": "slipped in", "external_ca": true}, `), 1)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	o := signed.opts
	o.Name, o.VerifyKeys = "unverified", nil
	from, err := Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	_, other := keyPair(t)
	to, _ := beside(t, signed, func(o *Options) { o.Recipients = []string{other} })
	b, err := to.Copy(ctx, from, testID, nil)
	if err != nil || b.Problem != nil || b.Raft.Epoch != "" || b.Raft.ExternalCA {
		t.Errorf("%+v, %+v (%v)", b.Problem, b.Raft, err)
	}
}
