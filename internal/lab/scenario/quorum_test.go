//go:build lab

package scenario

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// watch asks the managers, over and over, whether a quorum answers; stop ends
// it and gives what was wrong.
func (s *swarm) watch() (stop func() error) {
	ctx, cancel := context.WithCancel(s.ctx)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var lost []string
	answered := 0
	wg.Add(1)
	go func() {
		defer wg.Done()
		for ctx.Err() == nil {
			if why := s.quorumAnswers(ctx); why != "" && ctx.Err() == nil {
				mu.Lock()
				lost = append(lost, fmt.Sprintf("%s %s", time.Now().UTC().Format("15:04:05.0"), why))
				mu.Unlock()
			} else {
				mu.Lock()
				answered++
				mu.Unlock()
			}
		}
	}()
	return func() error {
		cancel()
		wg.Wait()
		if len(lost) > 0 {
			return fmt.Errorf("the quorum did not answer %d times of %d: %s", len(lost), len(lost)+answered, strings.Join(lost, "; "))
		}
		if answered == 0 {
			return fmt.Errorf("the quorum was never asked")
		}
		return nil
	}
}

// quorumAnswers asks the managers side by side for the list of nodes, which
// needs a quorum; one answer is enough. It gives the reason when none came.
func (s *swarm) quorumAnswers(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	answers := make(chan error, 3)
	for _, node := range []string{"m1", "m2", "m3"} {
		go func() {
			_, err := s.lab.Run(ctx, node, `docker node ls -q`)
			if err != nil {
				err = fmt.Errorf("%s: %w", node, err)
			}
			answers <- err
		}()
	}
	var said []string
	for range 3 {
		err := <-answers
		if err == nil {
			return ""
		}
		said = append(said, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	return strings.Join(said, ", ")
}
