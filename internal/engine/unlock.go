package engine

import (
	"bytes"
	"context"

	"github.com/docker/docker/api/types/swarm"
)

// UnlockKey asks a manager for the swarm's unlock key, trimmed. It is empty
// when the swarm is not auto-locked. The caller must neither log nor store it.
func (c *Client) UnlockKey(ctx context.Context) ([]byte, error) {
	answer, err := call(ctx, c, "get unlock key", c.api.SwarmGetUnlockKey)
	if err != nil {
		return nil, err
	}
	return bytes.TrimSpace([]byte(answer.UnlockKey)), nil
}

// Unlock gives a locked manager its key. It must only be called where a quorum
// will answer: without one the engine hangs, ignores SIGTERM for minutes and
// can't be forced either. When it fails with ErrUndecided the engine may still
// be at it: look again, never call it again at once.
func (c *Client) Unlock(ctx context.Context, key []byte) error {
	request := swarm.UnlockRequest{UnlockKey: string(bytes.TrimSpace(key))}
	_, err := call(ctx, c, "unlock", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, c.api.SwarmUnlock(ctx, request)
	})
	return err
}
