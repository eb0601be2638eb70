package engine

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"

	"github.com/requeen/requeen/internal/state"
)

// The labels that an engine puts on the containers of tasks.
const (
	labelTask        = "com.docker.swarm.task.id"
	labelService     = "com.docker.swarm.service.id"
	labelServiceName = "com.docker.swarm.service.name"
	labelNode        = "com.docker.swarm.node.id"
)

// Containers are this engine's containers that were made for a swarm's tasks,
// the stopped ones too, sorted by ID. Any engine tells them, in a swarm or not.
func (c *Client) Containers(ctx context.Context) ([]state.Container, error) {
	list, err := call(ctx, c, "list containers", func(ctx context.Context) ([]container.Summary, error) {
		return c.api.ContainerList(ctx, container.ListOptions{
			All:     true,
			Filters: filters.NewArgs(filters.Arg("label", labelTask)),
		})
	})
	if err != nil {
		return nil, err
	}
	containers := make([]state.Container, 0, len(list))
	for _, s := range list {
		containers = append(containers, containerOf(s))
	}
	slices.SortFunc(containers, func(a, b state.Container) int { return strings.Compare(a.ID, b.ID) })
	return containers, nil
}

// anonymous is the form of the name that an engine gives a volume that was
// asked for without one.
var anonymous = regexp.MustCompile(`^[0-9a-f]{64}$`)

func containerOf(s container.Summary) state.Container {
	c := state.Container{
		ID:          s.ID,
		State:       string(s.State),
		TaskID:      s.Labels[labelTask],
		ServiceID:   s.Labels[labelService],
		ServiceName: s.Labels[labelServiceName],
		NodeID:      s.Labels[labelNode],
	}
	if len(s.Names) > 0 {
		c.Name = strings.TrimPrefix(s.Names[0], "/")
	}
	for _, m := range s.Mounts {
		switch {
		case m.Type == mount.TypeVolume && anonymous.MatchString(m.Name):
			c.AnonymousVolumes = append(c.AnonymousVolumes, m.Name)
		case m.RW && m.Type != mount.TypeTmpfs:
			c.Writable = append(c.Writable, mountOf(m))
		}
	}
	slices.Sort(c.AnonymousVolumes)
	slices.SortFunc(c.Writable, func(a, b state.Mount) int { return strings.Compare(a.Target, b.Target) })
	return c
}

func mountOf(m container.MountPoint) state.Mount {
	place := state.Mount{Type: string(m.Type), Source: m.Source, Driver: m.Driver, Target: m.Destination}
	if m.Name != "" {
		place.Source = m.Name
	}
	return place
}
