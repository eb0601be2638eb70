package effects

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// Prepare makes the new swarm directory in private storage and lays it beside the
// old one on the host.
func (w *World) Prepare(ctx context.Context, op apply.Operation, progress func(apply.StoreProgress)) (seen string, err error) {
	if _, err := repository.SweepPrivate(); err != nil {
		return "", err
	}
	private, err := repository.NewPrivate(ctx, "recovery")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, private.Close()) }()
	source, err := w.source(ctx, private, op, progress)
	if err != nil {
		return "", err
	}
	progress(apply.StoreProgress{Stage: "prove"})
	done, err := w.rewrite(ctx, source, filepath.Join(private.Dir(), "prepared"), op)
	if err != nil {
		return "", unfit(op, err)
	}
	progress(apply.StoreProgress{Stage: apply.StageStore})
	if err := w.stage(ctx, op, filepath.Join(private.Dir(), "prepared")); err != nil {
		return "", err
	}
	return preparedText(op, done), nil
}

// source brings the swarm directory that the new one is made of into private
// storage: the backup's, or what the held host holds.
func (w *World) source(ctx context.Context, private *repository.Private, op apply.Operation, progress func(apply.StoreProgress)) (string, error) {
	if op.Backup == "" {
		copied, err := w.fetchHeld(ctx, private, op, progress)
		return filepath.Join(copied.dir, "swarm"), err
	}
	repo, err := w.repository(ctx, op.Repository)
	if err != nil {
		return "", err
	}
	defer repo.Close()
	progress(apply.StoreProgress{Stage: "fetch"})
	b, err := repo.Get(ctx, op.Backup)
	switch {
	case err != nil:
		return "", err
	case b.Problem != nil:
		return "", damaged(op.Backup, b.Problem.Text)
	}
	if err := w.rememberKey(ctx, repo, b); err != nil {
		return "", err
	}
	if err := private.EnsureRoom(2*swarmSize(b) + loaderRoom); err != nil {
		return "", err
	}
	if err := repo.VerifyObjects(ctx, b.ID); err != nil {
		return "", err
	}
	for _, o := range b.Stored {
		if strings.HasPrefix(o.Name, "swarm.tar") {
			dir := filepath.Join(private.Dir(), "backup")
			return filepath.Join(dir, "swarm"), unpack(ctx, repo, b.ID, o.Name, dir)
		}
	}
	return "", fmt.Errorf("backup %s holds no swarm directory", op.Backup)
}

// swarmSize is the size of the swarm's stored archive: an application's data are never
// unpacked where requeen runs.
func swarmSize(b state.Backup) int64 {
	for _, o := range b.Stored {
		if strings.HasPrefix(o.Name, "swarm.tar") {
			return o.Size
		}
	}
	return 0
}

// unfit says of a backup that can't be made a swarm directory, though its bytes are
// those that were stored, that it is of no use; other errors it leaves alone.
func unfit(op apply.Operation, err error) error {
	var wrong *raftdir.Error
	if op.Backup == "" || errors.Is(err, raftdir.ErrPrepared) || !errors.As(err, &wrong) {
		return err
	}
	return damaged(op.Backup, wrong.Error())
}

func damaged(backup, why string) error {
	return diag.Diagnostic{Severity: diag.Error, Code: diag.BackupDamaged, Summary: "Backup " + backup + " can't be restored", Detail: why,
		Remedy: "Use another backup: requeen backup list shows what there is, and requeen plan -restore=ID takes the one that you name."}
}

// fetchHeld copies a held host's swarm directory into private storage.
func (w *World) fetchHeld(ctx context.Context, private *repository.Private, op apply.Operation, progress func(apply.StoreProgress)) (privateCopy, error) {
	c := privateCopy{tar: filepath.Join(private.Dir(), "swarm.tar"), dir: filepath.Join(private.Dir(), "extracted")}
	if err := private.EnsureRoom(2*op.Host.SwarmDir.Bytes + loaderRoom); err != nil {
		return c, err
	}
	h, err := w.host(op.Node)
	if err != nil {
		return c, err
	}
	stream, err := h.OpenHeld(ctx, surgery(op))
	if err != nil {
		return c, err
	}
	return w.take(c, stream, op.Node, counting(stream, "fetch", op.Host.SwarmDir.Bytes, progress))
}

// rewrite makes the prepared directory and remembers what the swarm must hold.
func (w *World) rewrite(ctx context.Context, source, out string, op apply.Operation) (raftdir.Prepared, error) {
	nodeKey, err := os.ReadFile(filepath.Join(source, "certificates", "swarm-node.key"))
	if errors.Is(err, fs.ErrNotExist) {
		return raftdir.Prepared{}, &raftdir.Error{Kind: raftdir.ErrMissing, File: "certificates/swarm-node.key", What: "it is not there",
			Why: "without this key nothing in the raft log can be read"}
	}
	if err != nil {
		return raftdir.Prepared{}, fmt.Errorf("the node key can't be read: %w", err)
	}
	key, err := w.keyThatOpens(nodeKey, op)
	if err != nil {
		return raftdir.Prepared{}, err
	}
	done, err := raftdir.Prepare(ctx, source, out, raftdir.Preparation{
		UnlockKey: key, Address: op.Address, Epoch: op.ID, TermAbove: op.TermAbove, Removed: op.RaftIDs, KeepTail: true,
		Withheld:      raftdir.Withheld{Volumes: op.Withheld.Volumes, Paths: op.Withheld.Paths, Services: op.Withheld.Services, Restore: op.Withheld.Label},
		FreshIdentity: op.FreshIdentity, Now: w.o.Now().Add(op.Host.ClockSkew), RenewIfExpired: true,
	})
	if err != nil {
		return done, err
	}
	if done.Report.ClusterID != op.SwarmID && op.SwarmID != "" {
		return done, fmt.Errorf("what was read is of swarm %s, not of %s", done.Report.ClusterID, op.SwarmID)
	}
	inventory, err := raftdir.Inventory(ctx, out, nil)
	if err != nil {
		return done, err
	}
	w.mu.Lock()
	w.prepared[op.ID] = inventory
	w.mu.Unlock()
	return done, nil
}

func preparedText(op apply.Operation, done raftdir.Prepared) string {
	words := []string{fmt.Sprintf("%s is the sole member, at %s, in term %d", op.Node, op.Address, done.Report.Term)}
	if done.TailKept > 0 {
		words = append(words, fmt.Sprintf("what the disk had not marked committed is kept, entries: %d", done.TailKept))
	}
	if done.Torn {
		words = append(words, "a record that was never wholly written is left out")
	}
	if done.Renewed {
		words = append(words, "the node certificate is renewed")
	}
	if done.NotRenewed != nil {
		words = append(words, "the node certificate has expired and could not be renewed here ("+done.NotRenewed.Error()+"): the engine does that itself")
	}
	if done.RoleRepaired {
		words = append(words, "a demotion of it that was under way is undone")
	}
	if done.OldAddress != op.Address {
		words = append(words, "its address was "+done.OldAddress)
	}
	if len(done.Withheld) > 0 {
		words = append(words, "without tasks until their data are back: "+strings.Join(done.Withheld, ", "))
	}
	if len(done.Jobs) > 0 {
		words = append(words, "jobs that use the data, and run again before they are back: "+strings.Join(done.Jobs, ", "))
	}
	others := fmt.Sprintf("%d others are", len(done.Removed))
	if len(done.Removed) == 1 {
		others = "1 other is"
	}
	return strings.Join(append(words, others+" on the list of removed members"), "; ")
}

// stage sends a prepared directory to the host.
func (w *World) stage(ctx context.Context, op apply.Operation, dir string) error {
	var size counter
	if err := writeDirectory(&size, dir); err != nil {
		return err
	}
	return w.onHost(op, func(h *host.Host) error {
		r, wr := io.Pipe()
		go func() { _ = wr.CloseWithError(writeDirectory(wr, dir)) }()
		err := h.Stage(ctx, surgery(op), int64(size), r)
		_ = r.CloseWithError(context.Canceled)
		return err
	})
}

// counter counts what is written to it, in bytes.
type counter int64

// Write takes p, always all of it.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// writeDirectory writes a prepared directory as a tar archive whose names begin
// with "swarm/". A log segment goes without the zeros that are preallocated behind
// its last record: an engine takes them or not.
func writeDirectory(w io.Writer, dir string) error {
	archive := tar.NewWriter(w)
	err := filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil || strings.HasSuffix(file, ".tmp") {
			return err
		}
		header := &tar.Header{Name: filepath.ToSlash(filepath.Join("swarm", rel)), Mode: int64(info.Mode().Perm()), ModTime: info.ModTime(), Format: tar.FormatPAX}
		if info.IsDir() {
			header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
			return archive.WriteHeader(header)
		}
		return writeFile(archive, header, file, info.Size())
	})
	return errors.Join(err, archive.Close())
}

func writeFile(archive *tar.Writer, header *tar.Header, file string, size int64) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	header.Typeflag, header.Size = tar.TypeReg, size
	if strings.HasSuffix(file, ".wal") {
		if header.Size, err = contentEnd(f, size); err != nil {
			return err
		}
	}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(archive, io.NewSectionReader(f, 0, header.Size))
	return err
}

// page is what the end of a log's content is rounded up to: the padding of its
// last record may be zeros.
const page = 4096

// contentEnd is the end of what is not zero, in whole pages.
func contentEnd(f *os.File, size int64) (int64, error) {
	buf, end := make([]byte, 1<<20), int64(0)
	for at := int64(0); at < size; at += int64(len(buf)) {
		n, err := f.ReadAt(buf, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		for i := n - 1; i >= 0; i-- {
			if buf[i] != 0 {
				end = at + int64(i) + 1
				break
			}
		}
	}
	return min(size, (end+page-1)/page*page), nil
}

// Save stores what a held host holds as a safety copy: it satisfies no max_age,
// and no prune of regular backups removes it.
func (w *World) Save(ctx context.Context, op apply.Operation, progress func(apply.StoreProgress)) (b state.Backup, err error) {
	repo, err := w.repository(ctx, op.Repository)
	if err != nil {
		return b, err
	}
	defer repo.Close()
	private, err := repository.NewPrivate(ctx, "safety")
	if err != nil {
		return b, err
	}
	defer func() { err = errors.Join(err, private.Close()) }()
	copied, err := w.fetchHeld(ctx, private, op, progress)
	if err != nil {
		return b, err
	}
	dir := filepath.Join(copied.dir, "swarm")
	nodeKey, err := os.ReadFile(filepath.Join(dir, "certificates", "swarm-node.key"))
	if err != nil {
		return b, err
	}
	key, err := w.keyThatOpens(nodeKey, op)
	if err != nil {
		return b, err
	}
	progress(apply.StoreProgress{Stage: "prove", Bytes: copied.size, Total: copied.size})
	report, verified, err := w.readSurvivor(ctx, dir, key)
	if err != nil {
		return b, fmt.Errorf("%s: reading what it holds: %w", op.Node, err)
	}
	return w.put(ctx, repo, copied, w.safetyManifest(op, report, key, verified), key, nil, progress)
}

// readSurvivor proves a survivor's directory as that of any backup. One that does
// not verify, as after a SIGKILL, is kept all the same for as far as it can be read:
// it may be all that there is. It is not called verified then.
func (w *World) readSurvivor(ctx context.Context, dir string, key []byte) (report state.RaftReport, verified bool, err error) {
	report, err = raftdir.Verify(ctx, dir, raftdir.Options{UnlockKey: key, Now: w.o.Now()})
	var damaged *raftdir.Error
	if err == nil || !errors.As(err, &damaged) {
		return report, err == nil, err
	}
	report, err = raftdir.Survey(ctx, dir, raftdir.SurveyOptions{UnlockKey: key})
	return report, false, err
}

func (w *World) safetyManifest(op apply.Operation, report state.RaftReport, key []byte, verified bool) state.Backup {
	now := w.o.Now().UTC()
	b := state.Backup{ID: safetyID(op.ID, now), FormatVersion: 1, ToolVersion: op.ToolVersion, Kind: state.KindSafety,
		Cluster: op.Cluster, SwarmID: report.ClusterID, Epoch: report.Epoch, ParentEpoch: report.ParentEpoch,
		Node: op.Node, NodeID: report.NodeID, Address: op.Host.Address, EngineVersion: op.Host.Engine.Version,
		Consistency: "stopped", TakenAt: now, Raft: report, Autolocked: len(key) > 0}
	if verified {
		b.Verified, b.VerifiedAt = LevelRaft, now
	}
	if len(key) > 0 {
		b.KeySHA256 = raftdir.Fingerprint(key)
	}
	options := w.o.Repositories[op.Repository]
	b.Recipients, b.PlainStored = options.Recipients, options.Plaintext
	return b
}

// safetyID is a backup's ID of now that ends like the recovery's.
func safetyID(recovery string, now time.Time) string {
	return now.Format("20060102T150405Z") + recovery[strings.LastIndexByte(recovery, '-'):]
}
