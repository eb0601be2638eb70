package host

import (
	"os"
	"sync"
	"testing"
)

// TestPoolsBeginSideBySide has pools begin while others sweep: none is taken for one
// whose process is gone.
func TestPoolsBeginSideBySide(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				p := &Pool{}
				if err := p.privateDir(); err != nil {
					t.Error(err)
					return
				}
				if _, err := os.Stat(p.dir); err != nil {
					t.Errorf("a sweep removed what is in use: %v", err)
				}
				if err := p.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
