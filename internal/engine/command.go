package engine

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/pkg/stdcopy"
)

// RunInService runs a program in a container that a service has on this engine, as the
// container's own user, and waits for its end: what it wrote goes to out, its exit status
// is given. Without such a container that runs, the error is ErrNoContainer.
func (c *Client) RunInService(ctx context.Context, service string, args []string, out io.Writer) (status int, err error) {
	const what = "run a command in a container of a service"
	return call(ctx, c, what, func(ctx context.Context) (int, error) {
		list, err := c.api.ContainerList(ctx, container.ListOptions{Filters: filters.NewArgs(
			filters.Arg("label", labelServiceName+"="+service), filters.Arg("status", "running"))})
		if err != nil {
			return 0, err
		}
		if len(list) == 0 {
			return 0, &Error{Call: what, Kind: ErrNoContainer, Cause: fmt.Errorf("none of %s runs here", service)}
		}
		made, err := c.api.ContainerExecCreate(ctx, list[0].ID, container.ExecOptions{Cmd: args, AttachStdout: true, AttachStderr: true})
		if err != nil {
			return 0, err
		}
		attached, err := c.api.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{})
		if err != nil {
			return 0, err
		}
		defer attached.Close()
		stop := context.AfterFunc(ctx, attached.Close)
		defer stop()
		if _, err := stdcopy.StdCopy(out, out, attached.Reader); err != nil {
			return 0, errors.Join(ctx.Err(), err)
		}
		ended, err := c.api.ContainerExecInspect(ctx, made.ID)
		if err == nil && ended.Running {
			err = errors.New("its output ended, and it runs on")
		}
		return ended.ExitCode, err
	})
}
