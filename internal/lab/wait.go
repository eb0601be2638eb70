package lab

import (
	"context"
	"fmt"
	"time"
)

const (
	firstPoll = 20 * time.Millisecond
	lastPoll  = 500 * time.Millisecond
)

// WaitFor polls cond until it holds, fails, or the time is over. An error of
// cond ends the wait at once: a state that may still change is (false, nil).
// The error names what was waited for.
func WaitFor(ctx context.Context, timeout time.Duration, what string, cond func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	start, poll := time.Now(), firstPoll
	for {
		ok, err := cond()
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("gave up waiting for %s after %s: %w", what, time.Since(start).Round(time.Millisecond), ctx.Err())
		case <-time.After(poll):
		}
		poll = min(poll*3/2, lastPoll)
	}
}
