package effects

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

var _ apply.Data = (*World)(nil)

// QuiesceService takes the tasks of a service away through a manager.
func (w *World) QuiesceService(ctx context.Context, s apply.Shape) error {
	return noService(s, w.tells(ctx, s, func(ctx context.Context, c *engine.Client) error { return c.QuiesceService(ctx, s.Service) }))
}

// ResumeService gives a service its scale back through a manager.
func (w *World) ResumeService(ctx context.Context, s apply.Shape) error {
	return noService(s, w.tells(ctx, s, func(ctx context.Context, c *engine.Client) error { return c.ResumeService(ctx, s.Service) }))
}

// ServiceQuiesced goes by the swarm's list of tasks.
func (w *World) ServiceQuiesced(ctx context.Context, s apply.Shape) (bool, string, error) {
	v, err := w.standing(ctx, s)
	if err != nil {
		return false, "", err
	}
	return v.scale.Scale != "" && v.alive == 0, fmt.Sprintf("%s has %d tasks that are not over", s.Service, v.alive), nil
}

// ServiceResumed tells whether the record is gone and the tasks run.
func (w *World) ServiceResumed(ctx context.Context, s apply.Shape) (bool, string, error) {
	v, err := w.standing(ctx, s)
	if err != nil {
		return false, "", err
	}
	return v.scale.Scale == "" && v.running >= v.wanted, fmt.Sprintf("%s runs %d of %d tasks", s.Service, v.running, v.wanted), nil
}

// standing is how a service stands by a manager's account.
type standing struct {
	scale           state.ServiceScale
	alive           int
	wanted, running uint64
}

func (w *World) standing(ctx context.Context, s apply.Shape) (v standing, err error) {
	err = w.asks(ctx, s, func(ctx context.Context, c *engine.Client) (err error) {
		v.scale, v.alive, v.wanted, v.running, err = c.ServiceScale(ctx, s.Service)
		return err
	})
	return v, noService(s, err)
}

// commandOutput is how much of what a command wrote is told.
const commandOutput = 2 << 10

// RunDataCommand runs a command on the host as root, or in a container of a service there.
func (w *World) RunDataCommand(ctx context.Context, c apply.DataCommand) error {
	if c.Service == "" {
		h, err := w.host(c.Node)
		if err != nil {
			return err
		}
		return h.RunCommand(ctx, host.Guard{Cluster: c.Cluster, Token: c.Token, MachineID: c.Host.MachineID}, c.Args, c.Seconds)
	}
	limit := time.Duration(c.Seconds) * time.Second
	return w.onEngineFor(ctx, c.Node, limit, func(ctx context.Context, e *engine.Client) error {
		var out bounded
		status, err := e.RunInService(ctx, c.Service, c.Args, &out)
		switch {
		case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
			return fmt.Errorf("it did not end within %s in a container of %s, where it may run on", limit, c.Service)
		case err != nil:
			return err
		case status != 0:
			return fmt.Errorf("it ended with %d in a container of %s: %s", status, c.Service, strings.Join(strings.Fields(out.String()), " "))
		}
		return nil
	})
}

// bounded keeps the beginning of what is written to it.
type bounded struct{ bytes.Buffer }

// Write takes all of p and keeps as much as there is room for.
func (b *bounded) Write(p []byte) (int, error) {
	if room := commandOutput - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// StoreData streams a directory from its host into the repository: nothing of it is kept
// here, in memory or on a disk. What passes is listed on the way, so that only an archive
// that can be unpacked counts as stored.
func (w *World) StoreData(ctx context.Context, req apply.DataRequest, progress func(apply.StoreProgress)) (apply.StoredData, error) {
	out := apply.StoredData{Data: req.Source}
	d := &out.Data
	directory, err := w.dataDirectory(ctx, d)
	if err != nil {
		return out, err
	}
	h, err := w.host(d.Node)
	if err != nil {
		return out, err
	}
	repo, err := w.repositoryWith(ctx, req.Repository, func(o *repository.Options) { o.SideBySide = req.SideBySide })
	if err != nil {
		return out, err
	}
	defer repo.Close()
	stream, err := h.OpenData(ctx, req.Host.MachineID, directory)
	if err != nil {
		return out, err
	}
	d.TakenAt = w.o.Now().UTC()
	listed := newListing(stream)
	out.Object, err = repo.PutAhead(ctx, req.ID, state.DataArchive(d.Kind, d.Name), listed, func(n int64) {
		progress(apply.StoreProgress{Stage: "data", Bytes: n})
	})
	if err == nil {
		if d.Files, d.Bytes, err = listed.end(); err == nil && d.Files == 0 {
			err = errors.New("the host's tar wrote nothing") // it writes at least the directory itself
		}
	} else {
		listed.giveUp()
	}
	if err = errors.Join(err, stream.Close()); err != nil {
		return out, fmt.Errorf("%s: %s in %s: %w", d.Node, d.ID(), directory, err)
	}
	d.Object = out.Object.Name
	if text := stream.Changed(); text != "" {
		d.Changed, d.Failure = true, text
	}
	out.Apart = stream.Apart()
	return out, nil
}

// dataDirectory is where the data lies on its host; of a volume it also takes down what it
// is made again from.
func (w *World) dataDirectory(ctx context.Context, d *state.BackupData) (string, error) {
	if d.Kind != state.DataVolume {
		return d.Path, nil
	}
	var v state.Volume
	err := w.onEngine(ctx, d.Node, func(ctx context.Context, c *engine.Client) (err error) {
		v, err = c.Volume(ctx, d.Volume)
		return err
	})
	switch {
	case err != nil:
		return "", err
	case v.Looked == state.Absent:
		return "", fmt.Errorf("%s: the engine has no volume %s", d.Node, d.Volume)
	case !v.Plain() || v.Mountpoint == "":
		return "", fmt.Errorf("%s: the volume %s is of the driver %s or has options of it: its files can't be read from the host", d.Node, d.Volume, v.Driver)
	}
	d.Driver, d.Labels, d.Options = v.Driver, v.Labels, v.Options
	return v.Mountpoint, nil
}

// listing lists an archive while it passes.
type listing struct {
	src     io.Reader
	bytes   int64
	pipe    *io.PipeWriter
	once    sync.Once
	done    chan struct{}
	entries int64
	err     error
}

func newListing(src io.Reader) *listing {
	r, w := io.Pipe()
	l := &listing{src: src, pipe: w, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		l.entries, l.err = repository.ListTar(r)
		_, _ = io.Copy(io.Discard, r)
	}()
	return l
}

// Read passes on what was read, once it was listed.
func (l *listing) Read(p []byte) (int, error) {
	n, err := l.src.Read(p)
	l.bytes += int64(n)
	if _, failed := l.pipe.Write(p[:n]); failed != nil {
		return n, failed
	}
	return n, err
}

// end gives the count of an archive that was read to its end.
func (l *listing) end() (entries, bytes int64, err error) {
	l.once.Do(func() { l.pipe.Close() })
	<-l.done
	return l.entries, l.bytes, l.err
}

func (l *listing) giveUp() {
	l.once.Do(func() { _ = l.pipe.CloseWithError(io.ErrUnexpectedEOF) })
	<-l.done
}

// ahead are the objects of the data that was stored before the swarm's.
func ahead(list []apply.StoredData) []state.StoredObject {
	var objects []state.StoredObject
	for _, d := range list {
		if !d.Data.Missing {
			objects = append(objects, d.Object)
		}
	}
	return objects
}

// putData stores what is known of the data, which is too telling for the manifest, and
// gives the manifest what it may say.
func (w *World) putData(ctx context.Context, writer *repository.Writer, manifest *state.Backup, list []apply.StoredData) error {
	if len(list) == 0 {
		return nil
	}
	var full []state.BackupData
	for _, d := range list {
		full = append(full, d.Data)
		manifest.Data = append(manifest.Data, d.Data.Public())
	}
	text, err := json.MarshalIndent(full, "", "  ")
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	if err := repository.WriteTar(&archive, []repository.File{{Name: state.DataFile, Data: append(text, '\n'), Mode: 0o600}}); err != nil {
		return err
	}
	stored, err := writer.Put(ctx, state.DataObject, &archive, nil)
	manifest.Stored = append(manifest.Stored, stored)
	return err
}

// begun is a writer for a backup, with what was stored ahead of it.
func begun(ctx context.Context, repo *repository.Repository, id string, data []apply.StoredData) (*repository.Writer, error) {
	if len(data) == 0 {
		return repo.Create(ctx, id)
	}
	writer, err := repo.Continue(ctx, id, ahead(data))
	if errors.Is(err, repository.ErrDigest) { // everything is to be read anew
		err = &apply.UnreadableError{Err: err}
	}
	return writer, err
}
