package engine

import (
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/state"
)

// What the API tells is in the words in which a backup's is, and no value of a variable
// is among them.
func TestSpecs(t *testing.T) {
	answers := healthy()
	answers["GET /services"] = answer{file: "28.5-services-whole.json"}
	answers["GET /networks"] = answer{file: "28.5-networks-all.json"}
	got, err := newReplay(t, "1.51", answers).client().Specs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kinds, web := map[string]int{}, state.Spec{}
	for _, s := range got {
		kinds[s.Kind]++
		if s.Name == "web" {
			web = s
		}
	}
	if kinds["service"] != 2 || kinds["secret"] != 1 || kinds["network"] != 3 || kinds["node"] != 3 {
		t.Errorf("%v", kinds)
	}
	for path, want := range map[string]string{"image": "nginx:1.27@sha256:0a", "mode": "replicated", "replicas": "3", "labels.tier": "front", "args": "-c /x.conf",
		"ports": "8080 -> 80/tcp ingress", "mounts": "volume data -> /srv read-only", "secrets": "key -> tls.key", "networks": "nea (www)",
		"constraints": "node.role==worker", "limit.cpu": "500000000", "endpoint-mode": "vip"} {
		if have := web.Fields[path].Value; have != want {
			t.Errorf("%s is %q, want %q", path, have, want)
		}
	}
	env := web.Fields["env.PASSWORD"]
	if env.Value != "" || env.SHA256 == "" {
		t.Errorf("a variable is %+v", env)
	}
	for path, f := range web.Fields {
		if strings.Contains(f.Value, "hunter2") {
			t.Errorf("%s shows a value", path)
		}
	}
}

// A part would show as loss what was not looked at.
func TestSpecsAreWholeOrNone(t *testing.T) {
	for _, path := range []string{"/nodes", "/services", "/secrets", "/configs", "/networks"} {
		answers := healthy()
		answers["GET "+path] = answer{status: 500, file: "error-no-leader.json"}
		got, err := newReplay(t, "1.51", answers).client().Specs(t.Context())
		expect(t, err, ErrNoLeader)
		if got != nil {
			t.Errorf("%s: %d", path, len(got))
		}
	}
}
