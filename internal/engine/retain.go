package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/errdefs"

	"github.com/requeen/requeen/internal/state"
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

// VolumeHolders are the containers of Retain, of any recovery, sorted by name.
func (c *Client) VolumeHolders(ctx context.Context) ([]state.VolumeHolder, error) {
	list, err := call(ctx, c, "list containers that hold volumes", func(ctx context.Context) ([]container.Summary, error) {
		return c.api.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", LabelRecovery))})
	})
	if err != nil {
		return nil, err
	}
	holders := make([]state.VolumeHolder, 0, len(list))
	for _, s := range list {
		h := state.VolumeHolder{ID: s.ID, Name: nameOf(s), State: string(s.State), Recovery: s.Labels[LabelRecovery], Volumes: volumesOf(s.Mounts)}
		if s.Created > 0 {
			h.CreatedAt = time.Unix(s.Created, 0).UTC()
		}
		holders = append(holders, h)
	}
	slices.SortFunc(holders, func(a, b state.VolumeHolder) int { return strings.Compare(a.Name, b.Name) })
	return holders, nil
}

// ReleaseVolumes removes a container of Retain and leaves its volumes. It removes
// nothing, and says why, where the container was started or has not the label, and
// where another container that is not of Retain mounts one of the volumes: an engine
// that removes that one with its volumes would then remove them.
func (c *Client) ReleaseVolumes(ctx context.Context, id string) (kept string, err error) {
	return call(ctx, c, "remove a container that holds volumes", func(ctx context.Context) (string, error) {
		found, err := c.api.ContainerInspect(ctx, id)
		if errdefs.IsNotFound(err) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		if found.Config == nil || found.Config.Labels[LabelRecovery] == "" {
			return "it is not a container of a recovery", nil
		}
		if found.State == nil || string(found.State.Status) != "created" {
			return "somebody started it", nil
		}
		with := filters.NewArgs()
		for _, v := range volumesOf(found.Mounts) {
			with.Add("volume", v)
		}
		if with.Len() > 0 {
			list, err := c.api.ContainerList(ctx, container.ListOptions{All: true, Filters: with})
			if err != nil {
				return "", err
			}
			for _, other := range list {
				if other.ID != found.ID && other.Labels[LabelRecovery] == "" {
					return fmt.Sprintf("the container %s mounts a volume of it too, and would take it along when it is removed", nameOf(other)), nil
				}
			}
		}
		err = c.api.ContainerRemove(ctx, found.ID, container.RemoveOptions{})
		if errdefs.IsNotFound(err) {
			err = nil
		}
		return "", err
	})
}

func nameOf(s container.Summary) string {
	if len(s.Names) == 0 {
		return s.ID
	}
	return strings.TrimPrefix(s.Names[0], "/")
}

func volumesOf(mounts []container.MountPoint) []string {
	names := []string{}
	for _, m := range mounts {
		if m.Type == mount.TypeVolume {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return names
}
