package lab

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestWaitFor(t *testing.T) {
	n := 0
	err := WaitFor(t.Context(), time.Minute, "the third look", func() (bool, error) { n++; return n == 3, nil })
	if err != nil || n != 3 {
		t.Errorf("looked %d times: %v", n, err)
	}
	broken := errors.New("broken")
	err = WaitFor(t.Context(), time.Minute, "it", func() (bool, error) { return false, broken })
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "waiting for it") {
		t.Errorf("got %v", err)
	}
	err = WaitFor(t.Context(), time.Millisecond, "what never comes", func() (bool, error) { return false, nil })
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "what never comes") {
		t.Errorf("got %v", err)
	}
}

func TestTail(t *testing.T) {
	if got := tail("a\nb\nc\n", 2); got != "b\nc" {
		t.Errorf("got %q", got)
	}
	if got := tail("a", 5); got != "a" {
		t.Errorf("got %q", got)
	}
}
