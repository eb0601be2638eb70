package engine

import (
	"context"
	"slices"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/errdefs"
)

// LabelRecovery is on the containers of Retain; its value is the recovery's ID.
const LabelRecovery = "io.requeen.recovery"

// Retain creates a container that is never started and mounts those of another
// container's volumes by their names: an engine that removes the other one, with
// its anonymous volumes, leaves a volume that is in use. Removing what was created
// here leaves the volumes too.
//
// It tells whether it holds the volumes now, which it also does where it was called
// before; it does not where the other container is gone.
func (c *Client) Retain(ctx context.Context, name, recovery, of string, volumes []string) (held bool, err error) {
	return call(ctx, c, "retain volumes", func(ctx context.Context) (bool, error) {
		found, err := c.api.ContainerInspect(ctx, of)
		if errdefs.IsNotFound(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		host := &container.HostConfig{NetworkMode: network.NetworkNone}
		for _, m := range found.Mounts {
			if m.Type == mount.TypeVolume && slices.Contains(volumes, m.Name) {
				host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeVolume, Source: m.Name, Target: m.Destination,
					VolumeOptions: &mount.VolumeOptions{NoCopy: true}})
			}
		}
		if len(host.Mounts) == 0 {
			return false, nil
		}
		// An image without a command can't be made a container of; this one's is
		// never run.
		config := &container.Config{Image: found.Image, Entrypoint: []string{"/never-started"}, Labels: map[string]string{LabelRecovery: recovery}}
		_, err = c.api.ContainerCreate(ctx, config, host, nil, nil, name)
		if errdefs.IsConflict(err) { // the name is made of the recovery's ID: an earlier try created it
			return true, nil
		}
		return err == nil, err
	})
}
