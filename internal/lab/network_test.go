package lab

import (
	"net/netip"
	"strings"
	"testing"
)

func TestPickPrefix(t *testing.T) {
	first, err := pickPrefix("lab", nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := pickPrefix("lab", []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")})
	if err != nil || again != first {
		t.Errorf("the same name has %s, then %s (%v)", first, again, err)
	}
	taken := netip.MustParsePrefix(first + ".128/25")
	other, err := pickPrefix("lab", []netip.Prefix{taken})
	if err != nil {
		t.Fatal(err)
	}
	if netip.MustParsePrefix(other + ".0/24").Overlaps(taken) {
		t.Errorf("%s.0/24 overlaps with %s", other, taken)
	}
	if !strings.HasPrefix(other, "10.2") {
		t.Errorf("%s is not in the lab's range", other)
	}
	if _, err := pickPrefix("lab", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}); err == nil {
		t.Error("a network was found where every one is routed")
	}
}

func TestParseRoutes(t *testing.T) {
	got, err := parseRoutes(`[{"dst":"default","gateway":"192.0.2.1"},{"dst":"10.200.0.0/16","dev":"tun0"},
		{"type":"local","dst":"192.0.2.2","dev":"eth0"},{"dst":"0.0.0.0/0"}]`)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].String() != "10.200.0.0/16" || got[1].String() != "192.0.2.2/32" {
		t.Errorf("got %v", got)
	}
	if _, err := parseRoutes("no JSON"); err == nil {
		t.Error("no JSON is understood")
	}
}

func TestMac(t *testing.T) {
	if got := mac("10.210.3.101"); got != "02:52:0a:d2:03:65" {
		t.Errorf("got %s", got)
	}
}
