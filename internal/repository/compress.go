package repository

import (
	"errors"
	"io"
	"runtime"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
)

// An archive is compressed in pieces of four windows, several at a time, so that a
// machine with more processors archives faster; what comes out is one frame all the
// same. Memory is bounded by both numbers: at most compressors and two more pieces are
// held, each as it came and as it is stored, whatever the archive's size. With one
// compressor there are no pieces, and an archive takes far less. A larger
// window finds repetitions that are further apart and needs as many times the memory,
// which the collector doubles: with 512 KB the process came near its 100 MB.
const (
	compressWindow = 256 << 10
	compressorsMax = 2
)

// compressors is how many pieces are compressed at once.
func compressors() int { return min(runtime.GOMAXPROCS(0), compressorsMax) }

// compress writes what src gives to dst, compressed by n at once, from another goroutine
// than the one that reads. When it returns no goroutine of it is left, and after a failure
// nothing more was written: what stands in the queue is not worth a slow line's time.
func compress(dst io.Writer, src io.Reader, n int) error {
	out := &gate{w: dst}
	// WithZeroFrames: an empty stream must open with zstd -d as well. Services are
	// down while their data is compressed: the fastest level (make bench, archive).
	z, err := zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithZeroFrames(true), zstd.WithWindowSize(compressWindow),
		zstd.WithEncoderConcurrency(n), zstd.WithConcurrentBlocks(n > 1))
	if err != nil {
		return err
	}
	if _, err := io.Copy(z, src); err != nil {
		out.shut.Store(true)
		_ = z.Close()
		return err
	}
	return z.Close()
}

// gate lets nothing through once it is shut.
type gate struct {
	w    io.Writer
	shut atomic.Bool
}

var errShut = errors.New("the archive was given up")

func (g *gate) Write(p []byte) (int, error) {
	if g.shut.Load() {
		return 0, errShut
	}
	return g.w.Write(p)
}
