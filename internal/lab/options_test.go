package lab

import (
	"reflect"
	"strings"
	"testing"
)

func TestOptionsDefaults(t *testing.T) {
	o := Options{}.withDefaults()
	want := Options{Name: "lab", Dir: "/var/lib/requeen-lab/lab", Managers: 3, Suite: "bookworm"}
	if !reflect.DeepEqual(o, want) {
		t.Errorf("defaults are %+v, want %+v", o, want)
	}
	if err := o.validate(); err != nil {
		t.Errorf("the defaults are not valid: %v", err)
	}
}

func TestOptionsValidate(t *testing.T) {
	for _, c := range []struct {
		change func(*Options)
		want   string
	}{
		{func(o *Options) { o.Name = "toolongname" }, "one to eight"},
		{func(o *Options) { o.Name = "a-b" }, "one to eight"},
		{func(o *Options) { o.Name = "../x" }, "one to eight"},
		{func(o *Options) { o.Name = "1a" }, "a letter first"},
		{func(o *Options) { o.Dir = "here" }, "is not absolute"},
		{func(o *Options) { o.Dir = "/a:b" }, "mount options"},
		{func(o *Options) { o.Dir = "/a b" }, "mount options"},
		{func(o *Options) { o.Dir = "/run/lab" }, "would not last"},
		{func(o *Options) { o.Managers = 10 }, "1 to 9 managers"},
		{func(o *Options) { o.Managers = -1 }, "1 to 9 managers"},
		{func(o *Options) { o.Workers = 61 }, "0 to 60 workers"},
		{func(o *Options) { o.Suite = "buster" }, "bookworm, trixie, sid"},
		{func(o *Options) { o.NodeSuites = map[string]string{"m2": "buster"} }, "bookworm, trixie, sid"},
		{func(o *Options) { o.NodeSuites = map[string]string{"w1": "sid"} }, "no node of this lab: it has m1, m2, m3"},
	} {
		o := Options{}.withDefaults()
		c.change(&o)
		if err := o.validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want an error with %q", o, err, c.want)
		}
	}
}

// The kernel takes 15 bytes.
func TestInterfaceNamesFit(t *testing.T) {
	if n := operatorIf("abcdefgh"); len(n) > 15 {
		t.Errorf("%s is longer than an interface's name may be", n)
	}
}
