package repository

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/zstd"
)

// halfNoise compresses to about a half: runs of drawn bytes, each twice.
func halfNoise(seed uint64, n int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed)})
	out := make([]byte, n)
	for at := 0; at < n; at += 128 {
		_, _ = r.Read(out[at:min(at+64, n)])
		copy(out[min(at+64, n):], out[at:min(at+64, n)])
	}
	return out
}

// Sizes around a piece's: what is cut into pieces comes back as one stream, and takes
// no more room than it must.
func TestCompressInPieces(t *testing.T) {
	const piece = 4 * compressWindow
	for _, n := range []int{0, 1, 1 << 16, piece - 1, piece, piece + 1, 5*piece + 17} {
		want := halfNoise(uint64(n), n)
		var stored bytes.Buffer
		if err := compress(&stored, bytes.NewReader(want), compressors()); err != nil {
			t.Fatal(err)
		}
		z, err := zstd.NewReader(bytes.NewReader(stored.Bytes()), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(compressWindow))
		if err != nil {
			t.Fatal(err)
		}
		if have, err := io.ReadAll(z); err != nil || !bytes.Equal(have, want) {
			t.Errorf("of %d bytes %d came back: %v", n, len(have), err)
		}
		z.Close()
		if n > 1<<16 && stored.Len() > n*6/10 {
			t.Errorf("%d bytes that are there twice were stored as %d", n, stored.Len())
		}
	}
}

// A compression that fails on either side tells the side's own error, writes nothing
// after it returned, and leaves no goroutine.
func TestCompressFails(t *testing.T) {
	before := runtime.NumGoroutine()
	broken := errors.New("broken")
	data := content(1, 40<<20)
	for _, at := range []int{0, 1, 5 << 20, 30 << 20} {
		var out meter
		if err := compress(&out, io.MultiReader(bytes.NewReader(data[:at]), iotest.ErrReader(broken)), compressors()); !errors.Is(err, broken) {
			t.Errorf("a source that fails after %d bytes: %v", at, err)
		}
		if n := out.out.Load(); n > int64(at)+1024 {
			t.Errorf("%d bytes were written of %d", n, at)
		}
		if err := compress(&meter{limit: int64(at), err: broken}, bytes.NewReader(data), compressors()); !errors.Is(err, broken) {
			t.Errorf("a target that fails after %d bytes: %v", at, err)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left, and there were %d", runtime.NumGoroutine(), before)
		}
	}
}

// What is taken from the source ahead of what was stored is bounded: that bounds the
// memory for an archive of any size.
func TestCompressHoldsLittle(t *testing.T) {
	const most = (compressorsMax + 3) * 4 * compressWindow
	src := &meter{src: bytes.NewReader(content(2, 64<<20))} // which takes as much room stored
	ahead := int64(0)
	src.wrote = func() { ahead = max(ahead, src.in.Load()-src.out.Load()) }
	if err := compress(src, src, compressors()); err != nil {
		t.Fatal(err)
	}
	if ahead > most {
		t.Errorf("%d bytes were taken that were not stored yet, and at most %d should be", ahead, most)
	}
}

// meter counts what is read and written through it; what fails does so once limit
// bytes were written.
type meter struct {
	src     io.Reader
	in, out atomic.Int64
	wrote   func()
	limit   int64
	err     error
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.src.Read(p)
	m.in.Add(int64(n))
	return n, err
}

func (m *meter) Write(p []byte) (int, error) {
	if m.err != nil && m.out.Load() >= m.limit {
		return 0, m.err
	}
	m.out.Add(int64(len(p)))
	if m.wrote != nil {
		m.wrote()
	}
	return len(p), nil
}

func BenchmarkCompress(b *testing.B) {
	data := halfNoise(3, 64<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := compress(io.Discard, bytes.NewReader(data), compressors()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPut is the whole way of an archive into a directory: compressed,
// encrypted, hashed, synced and read back.
func BenchmarkPut(b *testing.B) {
	root := b.TempDir()
	r, err := Open(ctx, Options{Name: "offsite", URL: "file://" + root, Cluster: "prod",
		Recipients: []string{"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"}})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	data := halfNoise(3, 64<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		w, err := r.Create(ctx, testID)
		if err == nil {
			_, err = w.Put(ctx, "swarm.tar", bytes.NewReader(data), nil)
		}
		if err == nil {
			err = w.Abort(ctx)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
