package lab

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func testState(t *testing.T, change func(*Options)) *state {
	t.Helper()
	o := Options{Dir: "/labs/one", Managers: 2, Workers: 1}.withDefaults()
	if change != nil {
		change(&o)
	}
	return newState(o, "10.210.3")
}

func TestNodeNamesAndAddresses(t *testing.T) {
	st := testState(t, nil)
	added := st.addNode(roleManager)
	st.addNode(roleWorker)
	var got []string
	for _, n := range st.Nodes {
		got = append(got, n.Name+" "+n.Role+" "+n.Address)
	}
	want := []string{"m1 manager 10.210.3.11", "m2 manager 10.210.3.12", "w1 worker 10.210.3.101", "m3 manager 10.210.3.13", "w2 worker 10.210.3.102"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if added.Name != "m3" {
		t.Errorf("the added node is %s", added.Name)
	}
}

// The largest lab, with nodes added to it, stays within its /24 and apart from
// the operator's address.
func TestAddressesAreUnique(t *testing.T) {
	st := testState(t, func(o *Options) { o.Managers, o.Workers = maxManagers, maxWorkers })
	seen := map[string]string{st.operatorAddress(): "the operator"}
	for range 40 {
		st.addNode(roleManager)
		st.addNode(roleWorker)
	}
	for _, n := range st.Nodes {
		if other, ok := seen[n.Address]; ok {
			t.Fatalf("%s and %s both have %s", n.Name, other, n.Address)
		}
		seen[n.Address] = n.Name
	}
}

func TestStateRoundTrip(t *testing.T) {
	st := testState(t, nil)
	st.Dir = t.TempDir()
	if _, err := loadState(st.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("an empty directory gives %v", err)
	}
	st.Nodes[1].Cut = []string{CutOperator, "m1"}
	if err := st.save(); err != nil {
		t.Fatal(err)
	}
	got, err := loadState(st.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, st) {
		t.Errorf("read %+v, wrote %+v", got, st)
	}
	if err := os.WriteFile(filepath.Join(st.Dir, "state.json"), []byte(`{"version": 2}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadState(st.Dir); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("a newer record gives %v", err)
	}
}

func TestSame(t *testing.T) {
	o := Options{Dir: "/labs/one"}.withDefaults()
	st := newState(o, "10.210.3")
	if err := st.same(o); err != nil {
		t.Errorf("the same options are another lab: %v", err)
	}
	o.Autolock = true
	if err := st.same(o); err == nil || !strings.Contains(err.Error(), "requeen lab down -name lab") {
		t.Errorf("other options give %v", err)
	}
}

func TestCutAddresses(t *testing.T) {
	st := testState(t, nil)
	for _, c := range []struct {
		cut       []string
		all, from string
	}{
		{nil, "0", ""},
		{[]string{CutAll}, "1", ""},
		{[]string{CutOperator, "m2", "w1"}, "0", "10.210.3.1 10.210.3.12 10.210.3.101"},
	} {
		all, from := st.cutAddresses(Node{Cut: c.cut})
		if all != c.all || from != c.from {
			t.Errorf("%q: got %s %q, want %s %q", c.cut, all, from, c.all, c.from)
		}
	}
}
