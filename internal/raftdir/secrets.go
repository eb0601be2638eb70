package raftdir

import (
	"context"
	"slices"
)

// Secrets gives the values of the secrets that are named, out of the swarm in dir, a
// private copy; one that is not there is left out. dir is only read. Errors are
// Inventory's.
func Secrets(ctx context.Context, dir string, unlockKey []byte, names []string) (map[string][]byte, error) {
	all, err := saved(ctx, dir, unlockKey)
	if err != nil {
		return nil, err
	}
	values := map[string][]byte{}
	for _, s := range all.Secrets {
		if name := s.Spec.Annotations.Name; slices.Contains(names, name) {
			values[name] = slices.Clone(s.Spec.Data)
		}
	}
	return values, nil
}
