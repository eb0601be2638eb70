package host

import "sync"

// tail keeps the beginning and the end of what was written to it, so that a
// talkative command can't fill the memory.
type tail struct {
	mu   sync.Mutex
	max  int
	head []byte // grows to max only when keepHead
	keep bool
	buf  []byte
}

// Write takes p, always all of it.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	if t.keep && len(t.head) < t.max {
		k := min(t.max-len(t.head), len(p))
		t.head = append(t.head, p[:k]...)
		p = p[k:]
	}
	t.buf = append(t.buf, p...)
	if len(t.buf) > 2*t.max {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-t.max:]...)
	}
	return n, nil
}

// String gives what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	end := t.buf
	if len(end) > t.max {
		end = end[len(end)-t.max:]
	}
	return string(t.head) + string(end)
}
