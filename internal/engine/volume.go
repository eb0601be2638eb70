package engine

import (
	"context"
	"maps"

	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/errdefs"

	"github.com/requeen/requeen/internal/state"
)

// Volume looks at one volume; one that is not there is Absent.
func (c *Client) Volume(ctx context.Context, name string) (state.Volume, error) {
	out := state.Volume{Name: name}
	there := true
	found, err := call(ctx, c, "inspect volume", func(ctx context.Context) (volume.Volume, error) {
		v, err := c.api.VolumeInspect(ctx, name)
		if errdefs.IsNotFound(err) {
			there, err = false, nil
		}
		return v, err
	})
	switch {
	case err != nil:
		return out, err
	case !there:
		out.Looked = state.Absent
		return out, nil
	}
	out.Looked, out.Driver, out.Mountpoint = state.Present, found.Driver, found.Mountpoint
	if len(found.Labels) > 0 {
		out.Labels = maps.Clone(found.Labels)
	}
	if len(found.Options) > 0 {
		out.Options = maps.Clone(found.Options)
	}
	return out, nil
}
