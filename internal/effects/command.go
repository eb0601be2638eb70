package effects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/requeen/requeen/apply"
)

// How much of a command's output is kept for the error, and how long a line of it
// may get that is told.
const (
	keptOutput = 4 << 10
	longLine   = 1 << 10
)

// RunCheck runs a command of recovery.verify.
func (w *World) RunCheck(ctx context.Context, op apply.Operation, line func(string)) error {
	said, err := w.shell(ctx, op, op.Command, nil, line)
	if err != nil {
		return fmt.Errorf("it %w%s", err, ended(said))
	}
	return nil
}

// shell runs a command of the configuration by sh -c, where requeen runs, and gives
// the end of what it wrote. It is a process group of its own: a terminal's
// interrupt lets the step end, and a time-out ends all that it started.
func (w *World) shell(ctx context.Context, op apply.Operation, command string, stdin []byte, line func(string)) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second
	cmd.Env = append(os.Environ(), "RQ_CLUSTER="+op.Cluster, "RQ_RECOVERY="+op.ID, "RQ_MANAGER="+op.Node, "RQ_MANAGER_ADDRESS="+w.o.Nodes[op.Node].Address)
	if stdin != nil {
		cmd.Stdin = bytes.NewReader(stdin)
	}
	out := &output{line: line}
	cmd.Stdout, cmd.Stderr = out, out
	began := time.Now()
	err := cmd.Run()
	out.flush()
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // what it left running in the background holds its output
		return out.kept, nil
	case ctx.Err() != nil:
		err = fmt.Errorf("was still running after %s and was ended", time.Since(began).Round(time.Second))
	case errors.As(err, &exit):
		err = fmt.Errorf("ended with %s", strings.TrimPrefix(exit.Error(), "exit "))
	default:
		err = fmt.Errorf("could not be run: %w", err)
	}
	return out.kept, err
}

// output is what a command writes: its end is kept, its lines are told.
type output struct {
	line    func(string)
	kept    []byte
	partial []byte
}

// Write takes p, always all of it.
func (o *output) Write(p []byte) (int, error) {
	o.kept = append(o.kept, p...)
	if over := len(o.kept) - 2*keptOutput; over > 0 {
		o.kept = append([]byte(nil), o.kept[over:]...)
	}
	for _, b := range p {
		if b == '\n' {
			o.flush()
		} else if len(o.partial) < longLine {
			o.partial = append(o.partial, b)
		}
	}
	return len(p), nil
}

func (o *output) flush() {
	if text := shown(o.partial); text != "" && o.line != nil {
		o.line(text)
	}
	o.partial = o.partial[:0]
}

// shown is a line without what a terminal would obey.
func shown(line []byte) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(line), "?")))
}

// ended is the end of what a command wrote, as the end of a sentence.
func ended(said []byte) string {
	if over := len(said) - keptOutput; over > 0 {
		said = said[over:]
	}
	var lines []string
	for _, l := range bytes.Split(said, []byte("\n")) {
		if text := shown(l); text != "" {
			lines = append(lines, text)
		}
	}
	if len(lines) == 0 {
		return "; it wrote nothing"
	}
	const last = 10
	return "; it wrote last: " + strings.Join(lines[max(0, len(lines)-last):], " / ")
}
