package raftdir_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
)

// TestSpecsTellNoData: every object that somebody asked for is told, and of a secret's
// and a config's data the digest alone.
func TestSpecsTellNoData(t *testing.T) {
	b := build(t, raftdirtest.Options{Services: 2, Secrets: 2, Configs: 1, Networks: 1, Predefined: 1, Workers: 1, Labels: map[string]string{"Zone": "a"}})
	list, err := raftdir.Specs(t.Context(), b.Dir, nil)
	must(t, err)
	kinds, digests := map[string]int{}, map[string]bool{}
	for _, s := range list {
		kinds[s.Kind]++
		if s.Kind == "secret" {
			digests[s.Fields["data"].SHA256] = true
		}
		if s.Kind == "node" && s.ID == raftdirtest.NodeID && (s.Fields["labels.Zone"].Value != "a" || s.Fields["role"].Value != "manager") {
			t.Errorf("the node: %+v", s.Fields)
		}
	}
	if fmt.Sprint(kinds) != "map[config:1 network:1 node:2 secret:2 service:2]" || len(digests) != 2 {
		t.Errorf("it tells %v, with %d digests of secrets", kinds, len(digests))
	}
	if text := fmt.Sprintf("%+v", list); strings.Contains(text, "payload") || strings.Contains(text, "setting") || strings.Contains(text, "cGF5bG9hZ") {
		t.Errorf("data is told: %s", text)
	}
}
