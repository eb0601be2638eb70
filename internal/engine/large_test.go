package engine

import (
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/state"
)

// large are the answers of a swarm that nobody has: made up by a stub in the shape
// and size that engines give, with the plugins and the trust root that stand in every
// node's entry, and two tasks for each node.
func large(nodes, services int) map[string]answer {
	answers := healthy()
	plugins := strings.TrimSuffix(strings.Repeat(`{"Type":"Volume","Name":"local"},`, 24), ",")
	root := strings.Repeat("-----BEGIN CERTIFICATE-----\\nMIIBazCCARCgAwIBAgIU\\n", 10)
	lists := map[string]*strings.Builder{"nodes": {}, "services": {}, "tasks": {}}
	add := func(to, format string, args ...any) {
		b := lists[to]
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, format, args...)
	}
	for i := range nodes {
		manager := ""
		if i < 5 {
			manager = fmt.Sprintf(`,"ManagerStatus":{"Leader":%t,"Reachability":"reachable","Addr":"10.0.0.%d:2377"}`, i == 0, i)
		}
		add("nodes", `{"ID":"n%024d","Version":{"Index":%d},"Spec":{"Labels":{"zone":"a"},"Role":"worker","Availability":"active"},"Description":{"Hostname":"w%d","Engine":{"EngineVersion":"28.5.2","Plugins":[%s]},"TLSInfo":{"TrustRoot":"%s"}},"Status":{"State":"ready","Addr":"10.1.0.1"}%s}`,
			i, i, i, plugins, root, manager)
		for j := range 2 {
			add("tasks", `{"ID":"t%023d%d","Version":{"Index":%d},"ServiceID":"s%024d","NodeID":"n%024d","Status":{"State":"running"},"DesiredState":"running","Spec":{"ContainerSpec":{"Image":"example.com/app@sha256:%064d","Env":["A=1","B=2"]}}}`,
				i, j, 2*i+j, (2*i+j)%services, i, i)
		}
	}
	for i := range services {
		add("services", `{"ID":"s%024d","Version":{"Index":%d},"Spec":{"Name":"service-%d","TaskTemplate":{"ContainerSpec":{"Image":"example.com/app@sha256:%064d","Env":["A=1","B=2"]}},"Mode":{"Replicated":{"Replicas":4}}}}`, i, i, i, i)
	}
	for what, b := range lists {
		answers["GET /"+what] = answer{body: "[" + b.String() + "]"}
	}
	return answers
}

// paths are what was asked, without the API's version.
func paths(t *testing.T, asked []string) []string {
	t.Helper()
	var list []string
	for _, a := range asked {
		_, address, _ := strings.Cut(a, " ")
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		path := u.Path
		if rest, ok := strings.CutPrefix(path, "/v1."); ok {
			path = rest[strings.Index(rest, "/"):]
		}
		list = append(list, path)
	}
	return list
}

// TestALargeSwarmCostsItsListings: ten thousand nodes and five thousand services cost
// the same calls as three nodes do, none for any one of them; and of what the engine
// lists no more is kept than what a state holds.
func TestALargeSwarmCostsItsListings(t *testing.T) {
	asked := func(answers map[string]answer) (state.Swarm, []string, uint64) {
		r := newReplay(t, "1.51", answers)
		c := r.client()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s, err := c.Swarm(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		return s, paths(t, r.log()), after.HeapAlloc - min(before.HeapAlloc, after.HeapAlloc)
	}
	_, few, _ := asked(healthy())
	s, many, live := asked(large(10000, 5000))
	if !slices.Equal(few, many) {
		t.Errorf("asked %q, of a small swarm %q", many, few)
	}
	if want := (state.Objects{Nodes: 10000, Services: 5000, Tasks: 20000, Networks: 1, Secrets: 1}); s.Objects != want {
		t.Errorf("%+v, want %+v", s.Objects, want)
	}
	if s.Nodes[9999].RunningTasks != 2 || s.VersionIndex != 19999 {
		t.Errorf("%+v at %d", s.Nodes[9999], s.VersionIndex)
	}
	if live > 30<<20 {
		t.Errorf("%d MB are kept", live>>20)
	}
	t.Logf("%d calls; %d KB are kept", len(many), live>>10)
	runtime.KeepAlive(s)
}
