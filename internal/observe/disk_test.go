package observe

import (
	"testing"

	"github.com/requeen/requeen/internal/state"
)

func TestAddresses(t *testing.T) {
	for file, want := range map[string]state.SwarmDir{
		`{"LocalAddr":"","RemoteAddr":"10.0.0.1:2377","ListenAddr":"0.0.0.0:2377","AdvertiseAddr":"10.0.0.11:2377","DataPathAddr":"eth1","DefaultAddressPool":null,"SubnetSize":0}`: {
			Presence: state.Present, ListenAddr: "0.0.0.0:2377", AdvertiseAddr: "10.0.0.11:2377", DataPathAddr: "eth1"},
		`{"ListenAddr":`: {Presence: state.Present},
		``:               {Presence: state.Present},
	} {
		h := state.Host{SwarmDir: state.SwarmDir{Presence: state.Present}}
		addresses(&h, []byte(file))
		if h.SwarmDir != want {
			t.Errorf("%s: %+v", file, h.SwarmDir)
		}
	}
	h := state.Host{}
	addresses(&h, []byte(`{"ListenAddr":"0.0.0.0:2377"}`))
	if h.SwarmDir.ListenAddr != "" {
		t.Error("addresses of a directory that was not seen")
	}
}
