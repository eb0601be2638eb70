package effects

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// files writes a swarm directory, and gives where.
func files(t *testing.T, content map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range content {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestALogGoesWithoutItsPreallocatedZeros: what is behind the last record is not
// sent, what is before is the same, and nothing else of the directory is cut.
func TestALogGoesWithoutItsPreallocatedZeros(t *testing.T) {
	segment := make([]byte, 3<<20)
	copy(segment, "record")
	segment[1<<20+5] = 7 // in the second buffer that is read
	zeros := make([]byte, 9000)
	dir := files(t, map[string][]byte{
		"raft/wal-v3-encrypted/0.wal": segment,
		"raft/wal-v3-encrypted/1.wal": make([]byte, 1<<20),
		"raft/wal-v3-encrypted/0.tmp": []byte("the next segment"),
		"certificates/swarm-node.key": zeros,
	})
	var sent bytes.Buffer
	if err := writeDirectory(&sent, dir); err != nil {
		t.Fatal(err)
	}
	have := map[string][]byte{}
	for r := tar.NewReader(&sent); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(h.Name, "swarm/") {
			t.Errorf("%s is outside of swarm/", h.Name)
		}
		if h.Typeflag == tar.TypeReg {
			if h.Mode != 0o600 {
				t.Errorf("%s has mode %o", h.Name, h.Mode)
			}
			if have[h.Name], err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	log := have["swarm/raft/wal-v3-encrypted/0.wal"]
	if len(log) != 1<<20+page || !bytes.Equal(log, segment[:len(log)]) {
		t.Errorf("the log came as %d bytes", len(log))
	}
	if !bytes.Equal(append(slices.Clone(log), make([]byte, len(segment)-len(log))...), segment) {
		t.Error("with its zeros again the log is not the same")
	}
	if empty, sent := have["swarm/raft/wal-v3-encrypted/1.wal"]; !sent || len(empty) != 0 {
		t.Errorf("an empty segment came as %d bytes", len(empty))
	}
	if key := have["swarm/certificates/swarm-node.key"]; !bytes.Equal(key, zeros) {
		t.Errorf("a file that is no log came as %d bytes", len(key))
	}
	if _, sent := have["swarm/raft/wal-v3-encrypted/0.tmp"]; sent {
		t.Error("a preallocated next segment was sent")
	}
}

func TestContentEnd(t *testing.T) {
	for _, c := range []struct {
		size, last int // last: the offset of the last byte that is not zero, -1 for none
		want       int64
	}{
		{0, -1, 0}, {10, -1, 0}, {10, 9, 10}, {page, 0, page}, {page + 1, page, page + 1}, {3 * page, page - 1, page}, {3 * page, page, 2 * page},
		{2<<20 + 3, 1 << 20, 1<<20 + page}, {2<<20 + 3, 2<<20 + 2, 2<<20 + 3},
	} {
		data := make([]byte, c.size)
		if c.last >= 0 {
			data[c.last] = 1
		}
		f, err := os.Open(filepath.Join(files(t, map[string][]byte{"a.wal": data}), "a.wal"))
		if err != nil {
			t.Fatal(err)
		}
		if have, err := contentEnd(f, int64(c.size)); err != nil || have != c.want {
			t.Errorf("%d bytes, the last at %d: %d, %v, want %d", c.size, c.last, have, err, c.want)
		}
		f.Close()
	}
}

func TestLacks(t *testing.T) {
	want := state.Inventory{Services: []string{"a", "b"}, Secrets: []string{"s1", "s2", "s3", "s4", "s5", "s6"}, Configs: []string{"c"}, Networks: []string{"n"},
		Nodes: map[string]state.InventoryNode{"m1": {Labels: map[string]string{"zone": "a"}}, "m2": {}}}
	all := state.Inventory{Services: []string{"a", "b", "more"}, Secrets: want.Secrets, Configs: want.Configs, Networks: []string{"m", "n"},
		Nodes: map[string]state.InventoryNode{"m1": {Labels: map[string]string{"zone": "a"}}, "m2": {Labels: map[string]string{}}, "m3": {}}}
	if text := lacks(all, want); text != "" {
		t.Errorf("nothing lacks, but: %s", text)
	}
	for name, c := range map[string]struct {
		edit func(*state.Inventory)
		want []string
	}{
		"a service": {func(i *state.Inventory) { i.Services = []string{"b"} }, []string{"1 of 2 services", "(a)"}},
		"secrets":   {func(i *state.Inventory) { i.Secrets = nil }, []string{"6 of 6 secrets", "s5", "…"}},
		"a config":  {func(i *state.Inventory) { i.Configs = nil }, []string{"1 of 1 configs"}},
		"a network": {func(i *state.Inventory) { i.Networks = []string{"m"} }, []string{"1 of 1 networks"}},
		"a node":    {func(i *state.Inventory) { i.Nodes = map[string]state.InventoryNode{"m1": i.Nodes["m1"]} }, []string{"node m2 is not"}},
		"a label": {func(i *state.Inventory) {
			i.Nodes = map[string]state.InventoryNode{"m1": {Labels: map[string]string{"zone": "b"}}, "m2": {}}
		}, []string{"node m1 does not have its labels"}},
	} {
		have := all
		c.edit(&have)
		text := lacks(have, want)
		for _, part := range c.want {
			if !strings.Contains(text, part) {
				t.Errorf("%s: %q lacks %q", name, text, part)
			}
		}
	}
}

func TestSafetyIDIsABackupsOfNow(t *testing.T) {
	now := time.Date(2026, 3, 1, 3, 5, 0, 0, time.UTC)
	if have := safetyID("20260301T030000Z-0a1b2c", now); have != "20260301T030500Z-0a1b2c" {
		t.Error(have)
	}
}

func TestSameEndpoint(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"10.0.0.1:2377", "10.0.0.1:2377", true}, {"10.0.0.1:2377", "10.0.0.2:2377", false}, {"10.0.0.1:2377", "10.0.0.1:2378", false},
		{"[fd00::1]:2377", "[fd00:0:0::1]:2377", true}, {"10.0.0.1", "10.0.0.1:2377", false}, {"", "", false},
		{"", "10.0.0.1:2377", false}, {"eth0:2377", "eth1:2377", false},
	} {
		if have := sameEndpoint(c.a, c.b); have != c.want {
			t.Errorf("%q and %q: %v", c.a, c.b, have)
		}
	}
}
