package engine

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/volume"

	"github.com/requeen/requeen/internal/state"
)

// WithholdService takes every task of a service away until its data are back: the
// label that says what is still to be done comes first, so that a service never is
// without tasks and without it.
func (c *Client) WithholdService(ctx context.Context, name, restore string) error {
	err := c.rescale(ctx, "label a service", name, func(spec *swarm.ServiceSpec) error {
		if spec.Labels[state.ScaleWaitsLabel] == restore {
			return errUnchanged
		}
		if spec.Labels == nil {
			spec.Labels = map[string]string{}
		}
		spec.Labels[state.ScaleWaitsLabel] = restore
		return nil
	})
	if err != nil {
		return err
	}
	return c.QuiesceService(ctx, name)
}

// ReleaseService lets a service whose data are back run again. One that waits and was
// never scaled to 0 only loses the label.
func (c *Client) ReleaseService(ctx context.Context, name string) error {
	if err := c.ResumeService(ctx, name); err != nil {
		return err
	}
	return c.rescale(ctx, "label a service", name, func(spec *swarm.ServiceSpec) error {
		if _, there := spec.Labels[state.ScaleWaitsLabel]; !there {
			return errUnchanged
		}
		delete(spec.Labels, state.ScaleWaitsLabel)
		return nil
	})
}

// WithheldServices are the names of the services that wait for a restore of this ID,
// sorted.
func (c *Client) WithheldServices(ctx context.Context, id string) ([]string, error) {
	list, err := call(ctx, c, "list services", func(ctx context.Context) ([]swarm.Service, error) {
		return c.api.ServiceList(ctx, swarm.ServiceListOptions{Filters: filters.NewArgs(filters.Arg("label", state.ScaleWaitsLabel))})
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range list {
		if p, ok := state.ParsePendingRestore(s.Spec.Labels[state.ScaleWaitsLabel]); ok && p.ID == id {
			names = append(names, s.Spec.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// CreateVolume makes a volume of the local driver without options; one that is there
// stays as it is.
func (c *Client) CreateVolume(ctx context.Context, name string, labels map[string]string) error {
	return c.do(ctx, "create volume", func(ctx context.Context) error {
		_, err := c.api.VolumeCreate(ctx, volume.CreateOptions{Name: name, Driver: "local", Labels: labels})
		return err
	})
}

// User is a container that is up and uses a volume or a directory.
type User struct {
	Name    string // of the container
	Service string // whose task it is, "" of none
}

// Users are the containers that are up and mount the volume ("" for none), the place or
// a part of it, or may write to it through a directory above, sorted by name.
func (c *Client) Users(ctx context.Context, name, place string) ([]User, error) {
	list, err := call(ctx, c, "list containers", func(ctx context.Context) ([]container.Summary, error) {
		return c.api.ContainerList(ctx, container.ListOptions{})
	})
	if err != nil {
		return nil, err
	}
	var users []User
	for _, s := range list {
		if !slices.ContainsFunc(s.Mounts, func(m container.MountPoint) bool { return uses(m, name, place) }) {
			continue
		}
		u := User{Name: s.ID, Service: s.Labels[labelServiceName]}
		if len(s.Names) > 0 {
			u.Name = strings.TrimPrefix(s.Names[0], "/")
		}
		users = append(users, u)
	}
	slices.SortFunc(users, func(a, b User) int { return strings.Compare(a.Name, b.Name) })
	return users, nil
}

// uses tells whether a mount makes its container a user. One that sees every volume, or
// reads a whole disk, as those that watch a machine do, is no user of what lies there.
func uses(m container.MountPoint, name, place string) bool {
	if m.Type == mount.TypeVolume && name != "" && m.Name == name {
		return true
	}
	in := func(p, dir string) bool { return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/") }
	switch {
	case m.Source == "" || m.Type == mount.TypeTmpfs || place == "":
		return false
	case in(m.Source, place):
		return true
	case name != "":
		return in(m.Source, path.Dir(place)) && in(place, m.Source)
	}
	return m.RW && in(place, m.Source)
}
