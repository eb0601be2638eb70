package host

import (
	"context"
	_ "embed" // the scripts
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

var (
	//go:embed data.sh
	dataScript string
	//go:embed data_command.sh
	dataCommandScript string
)

// statusCommand ends data_command.sh where the command itself failed.
const statusCommand = 99

// DataStream is a directory as a tar archive. Close says whether it came whole.
type DataStream struct {
	copyStream
	changed string
	apart   []string
}

// Changed is what tar said of files that changed or vanished while they were read, after
// Close; empty where none did.
func (d *DataStream) Changed() string { return d.changed }

// Apart are the other file systems that are mounted below the directory and are not in
// the archive, after Close.
func (d *DataStream) Apart() []string { return d.apart }

// told takes the lines that name other file systems out of what was written to stderr.
func (d *DataStream) told(stderr string) (rest string) {
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(stderr), "\n") {
		if point, is := strings.CutPrefix(line, "requeen-apart "); is {
			d.apart = append(d.apart, point)
		} else {
			lines = append(lines, line)
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// OpenData streams a directory of the machine by the host's own tar; its error is in the
// stream, at the end of which also Close gives it.
func (h *Host) OpenData(ctx context.Context, machineID, directory string) (*DataStream, error) {
	if machineID == "" || !path.IsAbs(directory) || strings.ContainsAny(machineID+directory, "\x00\n\r") {
		return nil, fmt.Errorf("host: %q is no absolute path without line breaks, or no machine ID was given", directory)
	}
	ctx, cancel := context.WithCancel(ctx)
	r, w := io.Pipe()
	s, err := h.start(ctx, h.slots, Command{Script: guardScript + dataScript, Args: []string{machineID, directory}, Stdout: w, Root: true})
	if err != nil {
		cancel()
		return nil, err
	}
	stream := &DataStream{copyStream: copyStream{PipeReader: r, cancel: cancel, done: make(chan struct{})}}
	go func() {
		err := s.wait()
		said := stream.told(s.stderr.String())
		var exit *ExitError
		if errors.As(err, &exit) && exit.Status == 1 {
			stream.changed, err = said, nil
		}
		stream.err = h.refused(err)
		_ = w.CloseWithError(stream.err) // nil is the end of the stream
		close(stream.done)
	}()
	return stream, nil
}

// RunCommand runs a program as root, guarded as every effect is. The error of one that
// failed holds what it wrote.
func (h *Host) RunCommand(ctx context.Context, g Guard, args []string, seconds int) error {
	if err := g.validate(); err != nil {
		return err
	}
	if len(args) == 0 || seconds <= 0 {
		return errors.New("host: no command, or no time for it, was given")
	}
	err := h.Run(ctx, Command{
		Script: guardScript + dataCommandScript,
		Args: append([]string{h.pool.stateDir(), g.Cluster, strconv.FormatUint(g.Token, 10), g.MachineID,
			strconv.Itoa(seconds)}, args...),
		Root: true,
	})
	var exit *ExitError
	if errors.As(err, &exit) && exit.Status == statusCommand {
		text := strings.Join(strings.Fields(exit.Stderr), " ")
		if text == "" {
			text = "it said nothing"
		}
		return fmt.Errorf("it failed on %s: %s", h.target.Name, text)
	}
	return h.refused(err)
}
