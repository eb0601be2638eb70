package host

import (
	"context"
	"io"
)

// openStream starts a command and gives its standard output, to the end of which
// its failure is put: a reader must not take a cut stream for whole.
func (h *Host) openStream(ctx context.Context, c Command) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(ctx)
	r, w := io.Pipe()
	c.Stdout = w
	s, err := h.start(ctx, h.slots, c)
	if err != nil {
		cancel()
		return nil, err
	}
	stream := &copyStream{PipeReader: r, cancel: cancel, done: make(chan struct{})}
	go func() {
		stream.err = h.refused(s.wait())
		if stream.err != nil {
			_ = w.CloseWithError(stream.err)
		} else {
			_ = w.Close()
		}
		close(stream.done)
	}()
	return stream, nil
}

type copyStream struct {
	*io.PipeReader
	cancel context.CancelFunc
	done   chan struct{}
	err    error
	ended  bool
}

// Read notes the end of the stream, so that Close knows whether it was read.
func (c *copyStream) Read(p []byte) (int, error) {
	n, err := c.PipeReader.Read(p)
	if err != nil {
		c.ended = true
	}
	return n, err
}

// closeDrain is how much Close reads to find the end: a tar reader stops before
// the padding of the last record.
const closeDrain = 1 << 20

// Close waits for the end of tar and gives its failure.
func (c *copyStream) Close() error {
	if !c.ended {
		_, _ = io.CopyN(io.Discard, c, closeDrain)
	}
	if !c.ended {
		c.cancel()
		_ = c.PipeReader.CloseWithError(io.ErrClosedPipe)
	}
	<-c.done
	c.cancel()
	return c.err
}
