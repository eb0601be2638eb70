package effects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// Store makes the host's copy a backup. The copy is proved readable on a
// private, memory-backed copy before a byte of it is encrypted and stored, and
// what is stored are the very bytes that were proved.
func (w *World) Store(ctx context.Context, req apply.StoreRequest, progress func(apply.StoreProgress)) (state.Backup, error) {
	repo, err := w.repository(ctx, req.Run.Repository)
	if err != nil {
		return state.Backup{}, err
	}
	defer repo.Close()
	if len(req.Data) == 0 { // what was stored ahead stays
		if err := repo.RemoveIncomplete(ctx, req.Run.ID); err != nil {
			return state.Backup{}, err
		}
	}
	// This run has the repository's lock, so nobody else writes there: what a
	// cut upload left an hour ago will not be finished.
	if _, err := repo.Sweep(ctx, func(id string) bool { return id == req.Run.ID }, cutFor, w.o.Now()); err != nil {
		return state.Backup{}, err
	}
	earlier, err := repo.List(ctx)
	if err != nil {
		return state.Backup{}, err
	}
	// What a killed run and its janitor left of plaintext goes first.
	if _, err := repository.SweepPrivate(); err != nil {
		return state.Backup{}, err
	}
	private, err := repository.NewPrivate(ctx, "backup")
	if err != nil {
		return state.Backup{}, err
	}
	defer private.Close()
	copied, err := w.fetch(ctx, private, req, progress)
	if err != nil {
		return state.Backup{}, err
	}
	report, key, err := w.prove(ctx, copied, req, progress)
	if err != nil {
		return state.Backup{}, err
	}
	manifest := w.manifest(req, report, key)
	manifest.Suspect = raftdir.Suspect(report, earlier)
	stored, err := w.put(ctx, repo, copied, manifest, key, req.Data, progress)
	if err == nil {
		w.openBack(ctx, repo, &stored, key, progress)
	}
	return stored, err
}

// openBack opens what was stored with the identity, where it is at hand, and
// records that it opens (safety rule 24). A backup that does not open with this
// identity may open with another of its recipients' and is kept: status goes on
// to say that nobody opened it.
func (w *World) openBack(ctx context.Context, repo *repository.Repository, b *state.Backup, unlockKey []byte, progress func(apply.StoreProgress)) {
	if w.o.Repositories[repo.Name()].IdentityFile == "" {
		return
	}
	progress(apply.StoreProgress{Stage: "open"})
	checked, err := opens(ctx, repo, *b, true, unlockKey)
	if err != nil || checked.Level != LevelRaft {
		return
	}
	if at := w.o.Now().UTC(); repo.RecordChecked(ctx, b.ID, LevelRaft, !b.PlainStored, at) == nil && !b.PlainStored {
		b.OpenedAt = at
	}
}

// loaderRoom is what reading a raft log takes beside the copy: swarmkit's own
// loader works on a further copy of it, and preallocates two segments.
const loaderRoom = 192 << 20

// privateCopy is a swarm directory in private storage: the tar as the host
// sent it, and extracted.
type privateCopy struct {
	tar, dir string
	size     int64
}

func (w *World) fetch(ctx context.Context, private *repository.Private, req apply.StoreRequest, progress func(apply.StoreProgress)) (privateCopy, error) {
	c := privateCopy{tar: filepath.Join(private.Dir(), "swarm.tar"), dir: filepath.Join(private.Dir(), "extracted")}
	if err := private.EnsureRoom(2*req.Status.CopyBytes + loaderRoom); err != nil {
		return c, err
	}
	h, err := w.host(req.Run.Node)
	if err != nil {
		return c, err
	}
	stream, err := h.OpenCopy(ctx, req.Run.ID)
	if err != nil {
		return c, err
	}
	return w.take(c, stream, req.Run.Node, counting(stream, "fetch", req.Status.CopyBytes, progress))
}

// take writes a host's stream into private storage and extracts it; counted reads
// from stream.
func (w *World) take(c privateCopy, stream io.Closer, node string, counted io.Reader) (privateCopy, error) {
	file, err := os.OpenFile(c.tar, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		stream.Close()
		return c, err
	}
	c.size, _, err = repository.CopySparse(file, counted)
	if err = errors.Join(err, stream.Close(), file.Close()); err != nil {
		return c, fmt.Errorf("%s: reading the copy of the swarm directory: %w", node, err)
	}
	return c, extract(c)
}

func extract(c privateCopy) error {
	file, err := os.Open(c.tar)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := os.Mkdir(c.dir, 0o700); err != nil {
		return err
	}
	_, err = repository.ExtractTar(file, c.dir)
	return err
}

// prove verifies the copy, and gives the unlock key that opens it where it is
// sealed. Only an error about the copy itself is an UnreadableError, upon which
// the copy is removed; one about this machine, such as too little memory, says
// nothing about the copy.
func (w *World) prove(ctx context.Context, c privateCopy, req apply.StoreRequest, progress func(apply.StoreProgress)) (state.RaftReport, []byte, error) {
	progress(apply.StoreProgress{Stage: "prove", Bytes: c.size, Total: c.size})
	dir := filepath.Join(c.dir, "swarm")
	var key []byte
	nodeKey, err := os.ReadFile(filepath.Join(dir, "certificates", "swarm-node.key"))
	if err == nil && raftdir.KeySealed(nodeKey) {
		if key, err = w.keyFor(ctx, req, nodeKey); err != nil {
			return state.RaftReport{}, nil, err
		}
	}
	report, err := raftdir.Verify(ctx, dir, raftdir.Options{UnlockKey: key, MinIndex: req.MinIndex, Now: w.o.Now()})
	var damaged *raftdir.Error
	switch {
	case errors.As(err, &damaged):
		return state.RaftReport{}, nil, &apply.UnreadableError{Node: req.Run.Node, Err: err}
	case err != nil:
		return state.RaftReport{}, nil, fmt.Errorf("%s: proving the copy: %w", req.Run.Node, err)
	}
	if err := fits(report, req); err != nil {
		return state.RaftReport{}, nil, &apply.UnreadableError{Node: req.Run.Node, Err: err}
	}
	return report, key, nil
}

// keyFor gives the unlock key that opens the copy's node key: one that was
// rotated after the copy was made does not.
func (w *World) keyFor(ctx context.Context, req apply.StoreRequest, nodeKey []byte) ([]byte, error) {
	candidates, asked := w.laterKeys(ctx, req.Run)
	for _, key := range candidates {
		if raftdir.KeyOpens(nodeKey, key) == nil {
			return key, nil
		}
	}
	if len(candidates) == 0 {
		return nil, noUnlockKey(req.Run.Node, asked)
	}
	return nil, diag.Diagnostic{Severity: diag.Error, Code: diag.NoUnlockKey, Node: req.Run.Node,
		Summary: "The unlock key does not open the copy",
		Detail:  "The key was rotated after the copy was made; the copy needs the one of its time.",
		Remedy:  "set cluster.unlock_key to the key of that time, or take a new copy under the key that is valid now: requeen plan -backup"}
}

// fits tells whether what was read is what was to be copied.
func fits(r state.RaftReport, req apply.StoreRequest) error {
	if r.ClusterID != req.Run.SwarmID {
		return fmt.Errorf("it is of swarm %s, not of %s", r.ClusterID, req.Run.SwarmID)
	}
	if req.Run.NodeID != "" && r.NodeID != req.Run.NodeID {
		return fmt.Errorf("it is of node %s, not of %s", r.NodeID, req.Run.NodeID)
	}
	return nil
}

func (w *World) manifest(req apply.StoreRequest, report state.RaftReport, key []byte) state.Backup {
	b := state.Backup{
		ID: req.Run.ID, FormatVersion: 1, ToolVersion: req.ToolVersion, Kind: state.KindRegular,
		Cluster: req.Run.Cluster, Backup: req.Run.Backup, SwarmID: report.ClusterID, Epoch: report.Epoch, ParentEpoch: report.ParentEpoch,
		Node: req.Run.Node, NodeID: report.NodeID, Address: req.Address, EngineVersion: req.EngineVersion,
		Consistency: "stopped", ScheduledOn: w.o.ScheduledOn, TakenAt: req.Status.StoppedAt.Add(-req.Run.Host.ClockSkew).UTC(),
		Raft: report, Autolocked: len(key) > 0, Verified: "raft", VerifiedAt: w.o.Now().UTC(),
	}
	if len(key) > 0 {
		b.KeySHA256 = raftdir.Fingerprint(key)
	}
	options := w.o.Repositories[req.Run.Repository]
	b.Recipients, b.PlainStored = options.Recipients, options.Plaintext
	return b
}

func (w *World) put(ctx context.Context, repo *repository.Repository, c privateCopy, manifest state.Backup, key []byte, data []apply.StoredData, progress func(apply.StoreProgress)) (_ state.Backup, err error) {
	writer, err := begun(ctx, repo, manifest.ID, data)
	if err != nil {
		return state.Backup{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, writer.Abort(context.WithoutCancel(ctx)))
		}
	}()
	manifest.Stored = ahead(data)
	file, err := os.Open(c.tar)
	if err != nil {
		return state.Backup{}, err
	}
	defer file.Close()
	stored, err := writer.Put(ctx, "swarm.tar", file, func(n int64) {
		progress(apply.StoreProgress{Stage: apply.StageStore, Bytes: n, Total: c.size})
	})
	if err != nil {
		return state.Backup{}, err
	}
	manifest.Stored = append(manifest.Stored, stored)
	var config bytes.Buffer
	if err := repository.WriteTar(&config, w.configFiles()); err != nil {
		return state.Backup{}, err
	}
	if stored, err = writer.Put(ctx, "config.tar", &config, nil); err != nil {
		return state.Backup{}, err
	}
	manifest.Stored = append(manifest.Stored, stored)
	if err := w.putData(ctx, writer, &manifest, data); err != nil {
		return state.Backup{}, err
	}
	if err := w.putKey(ctx, writer, &manifest, key); err != nil {
		return state.Backup{}, err
	}
	manifest.UploadedAt = w.o.Now().UTC()
	return manifest, writer.Commit(ctx, manifest)
}

func (w *World) configFiles() []repository.File {
	var files []repository.File
	for _, f := range w.o.Files {
		files = append(files, repository.File{Name: configName(f.Name), Data: f.Bytes, Mode: 0o600})
	}
	return files
}

// configName is a configuration file's name in the archive. A variable file from
// outside of the configuration's directory stands below outside/, since no name
// in an archive may lead out of it.
func configName(name string) string {
	rest, below := name, ""
	for strings.HasPrefix(rest, "../") {
		rest, below = rest[len("../"):], below+"outside/"
	}
	return "config/" + below + rest
}

// counting reports how much was read from r.
func counting(r io.Reader, stage string, total int64, progress func(apply.StoreProgress)) io.Reader {
	return &countingReader{r: r, report: func(n int64) { progress(apply.StoreProgress{Stage: stage, Bytes: n, Total: total}) }}
}

type countingReader struct {
	r      io.Reader
	n      int64
	report func(int64)
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.report(c.n)
	return n, err
}
