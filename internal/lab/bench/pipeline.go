package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const peakEvery = 10 * time.Millisecond

// piped is what commands took that ran as one, each reading what the one before
// it wrote.
type piped struct {
	took  time.Duration
	cpu   time.Duration // of all of them
	peaks []int64       // bytes, of each
}

// memory is the sum of the peaks: what all of them had resident, at most.
func (p *piped) memory() int64 {
	var sum int64
	for _, n := range p.peaks {
		sum += n
	}
	return sum
}

// pipeline runs commands joined by the kernel's pipes, as a shell does, and waits
// for all of them. env is added to the environment of each.
func pipeline(ctx context.Context, env []string, commands ...[]string) (piped, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := piped{peaks: make([]int64, len(commands))}
	parts := make([]*part, len(commands))
	var stdin *os.File
	begin := time.Now()
	for i, args := range commands {
		c := &part{cmd: exec.CommandContext(ctx, args[0], args[1:]...), ended: make(chan struct{})}
		c.cmd.Env = append(os.Environ(), env...)
		c.cmd.Stderr = &c.said
		if stdin != nil {
			c.cmd.Stdin = stdin
		}
		next, err := c.start(i+1 < len(commands))
		if stdin != nil {
			_ = stdin.Close()
		}
		if err != nil {
			cancel()
			for _, earlier := range parts[:i] {
				_ = earlier.wait()
			}
			return p, err
		}
		parts[i], stdin = c, next
	}
	var faults []error
	for i, c := range parts {
		if err := c.wait(); err != nil {
			faults = append(faults, err)
			cancel()
		}
		p.peaks[i] = c.peak
		p.cpu += c.cmd.ProcessState.UserTime() + c.cmd.ProcessState.SystemTime()
	}
	p.took = time.Since(begin)
	return p, errors.Join(faults...)
}

// part is one command of a pipeline.
type part struct {
	cmd     *exec.Cmd
	said    bytes.Buffer
	peak    int64
	ended   chan struct{}
	watched chan struct{}
}

// start starts it, and gives what the next one reads.
func (c *part) start(piped bool) (*os.File, error) {
	var out *os.File
	if piped {
		in, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		defer w.Close()
		c.cmd.Stdout, out = w, in
	}
	if err := c.cmd.Start(); err != nil {
		if out != nil {
			_ = out.Close()
		}
		return nil, err
	}
	c.watched = make(chan struct{})
	go c.watch(strconv.Itoa(c.cmd.Process.Pid))
	return out, nil
}

// watch notes the peak of its memory until it has ended. The peak that the kernel
// tells of a process that has ended is of no use: it counts what the child was
// before it became the command, which is this program.
func (c *part) watch(pid string) {
	defer close(c.watched)
	tick := time.NewTicker(peakEvery)
	defer tick.Stop()
	for {
		c.peak = max(c.peak, peak(pid))
		select {
		case <-c.ended:
			return
		case <-tick.C:
		}
	}
}

func (c *part) wait() error {
	err := c.cmd.Wait()
	close(c.ended)
	<-c.watched
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(c.cmd.Args, " "), err, c.said.String())
	}
	return nil
}
