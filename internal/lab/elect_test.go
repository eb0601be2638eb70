package lab

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestFindRaftID(t *testing.T) {
	const node = "seds1zls6lwmond5p10e8pe4d"
	for _, id := range []uint64{1, 127, 128, 0x1234567890abcdef, 1<<64 - 1} {
		head := append([]byte{0x08, 0x96, 0xff, 0x00, 0x12}, binary.AppendUvarint([]byte{0x0a, 0x30, 0x08}, id)...)
		head = append(append(head, 0x12, byte(len(node))), node...)
		if got, ok := findRaftID(append(head, 0x1a, 0x02, 'a', 'b'), node); !ok || got != id {
			t.Errorf("%x is found as %x, %t", id, got, ok)
		}
	}
	if _, ok := findRaftID([]byte("nothing of "+node), node); ok {
		t.Error("found without an ID")
	}
}

// The bytes are those of a raftpb.Message in field 1: type 14, to, from.
func TestTimeoutNow(t *testing.T) {
	want := []byte{0x0a, 7, 0x08, 14, 0x10, 0x80, 0x01, 0x18, 5}
	if got := timeoutNow(128, 5); !bytes.Equal(got, want) {
		t.Errorf("% x, want % x", got, want)
	}
}
