package raftdir_test

import (
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
)

// PlainSpecs has what Specs has, without the data of a secret or its digest; Secrets
// gives the values that are named, and no other.
func TestPlainSpecs(t *testing.T) {
	dir := t.TempDir() + "/swarm"
	raftdirtest.Build(t, dir, raftdirtest.Options{Services: 2, Secrets: 2, Configs: 1, Labels: map[string]string{"zone": "b"}})
	specs, err := raftdir.Specs(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := raftdir.PlainSpecs(t.Context(), dir, nil)
	if err != nil || len(plain) != len(specs) {
		t.Fatalf("%d of %d, %v", len(plain), len(specs), err)
	}
	zone := false
	for _, s := range plain {
		for path, f := range s.Fields {
			if strings.Contains(f.Value, "payload") || s.Kind == "secret" && f.SHA256 != "" {
				t.Errorf("%s %s tells %s: %+v", s.Kind, s.Name, path, f)
			}
		}
		if s.Kind == "config" && s.Fields["data"].SHA256 == "" {
			t.Errorf("%s %s lacks what it is compared by: %v", s.Kind, s.Name, s.Fields)
		}
		zone = zone || s.Kind == "node" && s.Fields["labels.zone"].Value == "b"
	}
	if !zone {
		t.Error("no node has its label")
	}
	values, err := raftdir.Secrets(t.Context(), dir, nil, []string{"secret-1", "gone"})
	if err != nil || len(values) != 1 || string(values["secret-1"]) != "payload-1" {
		t.Errorf("%q, %v", values, err)
	}
}
