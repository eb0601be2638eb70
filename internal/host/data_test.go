package host

import (
	"io"
	"slices"
	"strings"
	"testing"
)

// TestDataNamesOtherFileSystems: what is mounted below a directory is not in its archive,
// and is told; what is mounted there of the same file system is in it.
func TestDataNamesOtherFileSystems(t *testing.T) {
	d := newDataHost(t)
	from := d.path("from")
	write(t, d.path("mounts"), strings.Join([]string{
		"21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw",
		"31 21 8:2 / " + d.path("") + " rw shared:2 - ext4 /dev/sdb1 rw",
		"32 31 8:2 /x " + from + "/bound rw shared:2 - ext4 /dev/sdb1 rw",
		`33 31 0:40 / ` + from + `/a\040share rw - nfs srv:/a rw`,
		"34 31 0:41 / " + from + "-other rw - nfs srv:/b rw", ""}, "\n"), 0o644)
	stream, err := d.host.OpenData(t.Context(), "machine1", from)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, stream)
	if err != nil || n == 0 {
		t.Fatal(n, err)
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	if got := stream.Apart(); !slices.Equal(got, []string{from + "/a share"}) || stream.Changed() != "" {
		t.Errorf("apart are %q, changed %q", got, stream.Changed())
	}
}
