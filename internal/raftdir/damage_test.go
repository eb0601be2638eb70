package raftdir_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sirupsen/logrus"
	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"

	"github.com/requeen/requeen/internal/raftdir"
	"github.com/requeen/requeen/internal/raftdir/raftdirtest"
)

const (
	crt  = "certificates/swarm-node.crt"
	key  = "certificates/swarm-node.key"
	root = "certificates/swarm-root-ca.crt"
	logs = "raft/wal-v3-encrypted"
	snap = "raft/snap-v3-encrypted"
)

var (
	sealed   = raftdirtest.Options{UnlockKey: raftdirtest.UnlockKey}
	snapshot = raftdirtest.Options{Index: 30, SnapshotAt: 20, Secrets: 3}
	joined   = raftdirtest.Options{Index: 30, SnapshotAt: 20, Joined: true}
	long     = raftdirtest.Options{Secrets: 2000}
)

var brokenFiles = map[string]struct {
	build raftdirtest.Options
	hurt  func(*testing.T, raftdirtest.Built)
	opts  raftdir.Options
	kind  error
	says  string
}{
	"no certificate":    {hurt: remove(crt), kind: raftdir.ErrMissing, says: crt},
	"no key":            {hurt: remove(key), kind: raftdir.ErrMissing, says: key},
	"no root CA":        {hurt: remove(root), kind: raftdir.ErrMissing, says: root},
	"no raft":           {hurt: remove("raft"), kind: raftdir.ErrMissing, says: "raft"},
	"no log":            {hurt: remove(logs), kind: raftdir.ErrMissing, says: logs},
	"no snapshots":      {hurt: remove(snap), kind: raftdir.ErrMissing, says: snap},
	"no directory":      {hurt: remove("."), kind: raftdir.ErrMissing},
	"empty log":         {hurt: empty(logs), kind: raftdir.ErrMissing, says: logs},
	"empty certificate": {hurt: write(crt, ""), kind: raftdir.ErrMissing},
	"a file for a log":  {hurt: func(t *testing.T, b raftdirtest.Built) { remove(logs)(t, b); write(logs, "x")(t, b) }, kind: raftdir.ErrMissing},
	"certificate is a directory": {
		hurt: func(t *testing.T, b raftdirtest.Built) {
			remove(crt)(t, b)
			must(t, os.Mkdir(filepath.Join(b.Dir, crt), 0o700))
		},
		kind: raftdir.ErrUnreadable,
	},
	"certificate is no PEM": {hurt: write(crt, "x"), kind: raftdir.ErrCertificate},
	"certificate is a key":  {hurt: func(t *testing.T, b raftdirtest.Built) { copyOver(t, b.Dir, key, b.Dir, crt) }, kind: raftdir.ErrCertificate},
	"certificate is the root's": {
		hurt: func(t *testing.T, b raftdirtest.Built) { copyOver(t, b.Dir, root, b.Dir, crt) }, kind: raftdir.ErrCertificate,
	},
	"root CA is no PEM":        {hurt: write(root, "x"), kind: raftdir.ErrRootCA},
	"root CA is no CA":         {hurt: func(t *testing.T, b raftdirtest.Built) { copyOver(t, b.Dir, crt, b.Dir, root) }, kind: raftdir.ErrRootCA},
	"root CA of another swarm": {hurt: fromOther(root), kind: raftdir.ErrCertificate, says: "chain"},
	"root CA beside another": {
		hurt: func(t *testing.T, b raftdirtest.Built) {
			other := raftdirtest.Build(t, filepath.Join(t.TempDir(), "swarm"), raftdirtest.Options{})
			write(root, string(b.Root)+string(other.Root))(t, b)
		},
		kind: raftdir.ErrRootCA, says: "own record",
	},
	"key is no PEM":            {hurt: write(key, "x"), kind: raftdir.ErrKeyDamaged},
	"key of another":           {hurt: fromOther(key), kind: raftdir.ErrKeyMismatch},
	"certificates of another":  {hurt: fromOther(crt, key, root), kind: raftdir.ErrLogKey},
	"key without headers":      {hurt: edit(key, dropHeaders), kind: raftdir.ErrNoLogKey},
	"header is no base64":      {hurt: edit(key, func(s string) string { return strings.Replace(s, "raft-dek: ", "raft-dek: !", 1) }), kind: raftdir.ErrKeyDamaged},
	"sealed, no unlock key":    {build: sealed, kind: raftdir.ErrLocked, says: key},
	"sealed, a wrong key":      {build: sealed, opts: raftdir.Options{UnlockKey: []byte(raftdirtest.OtherUnlockKey)}, kind: raftdir.ErrWrongUnlockKey},
	"sealed, no key at all":    {build: sealed, opts: raftdir.Options{UnlockKey: []byte("hunter2")}, kind: raftdir.ErrWrongUnlockKey},
	"snapshot cut":             {build: snapshot, hurt: func(t *testing.T, b raftdirtest.Built) { must(t, os.Truncate(b.Snap, 100)) }, kind: raftdir.ErrSnapshotDamaged},
	"snapshot empty":           {build: snapshot, hurt: func(t *testing.T, b raftdirtest.Built) { must(t, os.Truncate(b.Snap, 0)) }, kind: raftdir.ErrSnapshotDamaged},
	"snapshot with a bit over": {build: snapshot, hurt: func(t *testing.T, b raftdirtest.Built) { flip(t, b.Snap, 200) }, kind: raftdir.ErrSnapshotDamaged},
	"snapshot of another log": {
		build: joined,
		hurt: func(t *testing.T, b raftdirtest.Built) {
			o := joined
			o.SnapshotAt = 22
			other := raftdirtest.Build(t, filepath.Join(t.TempDir(), "swarm"), o)
			must(t, os.Rename(other.Snap, filepath.Join(b.Dir, snap, filepath.Base(other.Snap))))
		},
		kind: raftdir.ErrLogKey,
	},
	"snapshot above the log": {
		build: joined,
		hurt:  func(t *testing.T, b raftdirtest.Built) { fromOther(logs)(t, b) },
		kind:  raftdir.ErrSnapshotDamaged, says: "not the log's",
	},
	"snapshot gone, the log begins with it": {
		build: joined, hurt: func(t *testing.T, b raftdirtest.Built) { must(t, os.Remove(b.Snap)) }, kind: raftdir.ErrLogDamaged, says: "gap",
	},
	"a log file gone": {build: long, hurt: dropSegment, kind: raftdir.ErrLogDamaged},
	"a log file cut in the middle": {
		build: long, hurt: func(t *testing.T, b raftdirtest.Built) { f := segment(t, b, 1); must(t, os.Truncate(f, size(t, f)/2)) }, kind: raftdir.ErrLogDamaged,
	},
}

// TestVerifyRefusesFiles breaks files of a good directory, one a case.
func TestVerifyRefusesFiles(t *testing.T) {
	for name, c := range brokenFiles {
		t.Run(name, func(t *testing.T) {
			b := build(t, c.build)
			if c.hurt != nil {
				c.hurt(t, b)
			}
			_, err := raftdir.Verify(t.Context(), b.Dir, c.opts)
			wantKind(t, err, c.kind)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %q does not name %q", err, c.says)
			}
			wantSilence(t, err)
		})
	}
}

// TestVerifyRefusesStates builds directories that say the wrong thing.
func TestVerifyRefusesStates(t *testing.T) {
	for name, c := range map[string]struct {
		build raftdirtest.Options
		opts  raftdir.Options
		kind  error
	}{
		"a gap":                      {build: raftdirtest.Options{Index: 30, GapAt: 17}, kind: raftdir.ErrLogDamaged},
		"a gap after a snapshot":     {build: raftdirtest.Options{Index: 30, SnapshotAt: 16, Joined: true, GapAt: 17}, kind: raftdir.ErrLogDamaged},
		"commit below the snapshot":  {build: raftdirtest.Options{Index: 30, SnapshotAt: 20, Commit: 19}, kind: raftdir.ErrCommit},
		"commit above the log":       {build: raftdirtest.Options{Index: 30, Commit: 31}, kind: raftdir.ErrCommit},
		"behind what was seen":       {build: raftdirtest.Options{Index: 30}, opts: raftdir.Options{MinIndex: 31}, kind: raftdir.ErrBehind},
		"an entry that is none":      {build: raftdirtest.Options{BadEntry: true}, kind: raftdir.ErrStore},
		"a worker's certificate":     {build: raftdirtest.Options{CertRole: "swarm-worker"}, kind: raftdir.ErrNotManager},
		"an unknown role":            {build: raftdirtest.Options{CertRole: "swarm-queen"}, kind: raftdir.ErrCertificate},
		"another cluster":            {build: raftdirtest.Options{CertCluster: "anothercluster"}, kind: raftdir.ErrWrongCluster},
		"no cluster":                 {build: raftdirtest.Options{NoCluster: true}, kind: raftdir.ErrWrongCluster},
		"no commit, so no cluster":   {build: raftdirtest.Options{Index: 30, Commit: 1}, kind: raftdir.ErrWrongCluster},
		"a worker in the store":      {build: raftdirtest.Options{StoreWorker: true}, kind: raftdir.ErrNotManager},
		"a demotion under way":       {build: raftdirtest.Options{Demoting: true}, kind: raftdir.ErrNotManager},
		"no node":                    {build: raftdirtest.Options{NoNode: true}, kind: raftdir.ErrNotManager},
		"never a member":             {build: raftdirtest.Options{NoMember: true}, kind: raftdir.ErrRemoved},
		"removed":                    {build: raftdirtest.Options{RemoveSelf: true, Index: 20}, kind: raftdir.ErrRemoved},
		"removed in the tail":        {build: raftdirtest.Options{RemoveTail: true}, kind: raftdir.ErrRemoved},
		"removed before a snapshot":  {build: raftdirtest.Options{RemoveSelf: true, Index: 20, SnapshotAt: 4}, kind: raftdir.ErrRemoved},
		"the member is another node": {build: raftdirtest.Options{MemberNodeID: "someoneelse"}, kind: raftdir.ErrRemoved},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := raftdir.Verify(t.Context(), build(t, c.build).Dir, c.opts)
			wantKind(t, err, c.kind)
			wantSilence(t, err)
		})
	}
}

// TestVerifyFindsAnyFlippedBit flips one bit at many places of a log: what is
// not refused must be a byte that means nothing.
func TestVerifyFindsAnyFlippedBit(t *testing.T) {
	b := build(t, raftdirtest.Options{Index: 40, SnapshotAt: 10, Secrets: 5, UnlockKey: raftdirtest.UnlockKey})
	opts := raftdir.Options{UnlockKey: []byte(raftdirtest.UnlockKey), MinIndex: 40}
	want, err := raftdir.Verify(t.Context(), b.Dir, opts)
	must(t, err)
	passed := 0
	for off := int64(0); off < b.Bytes; off += 23 {
		flip(t, b.WAL, off)
		got, err := raftdir.Verify(t.Context(), b.Dir, opts)
		if err == nil {
			passed++
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("a flipped bit at %d goes unseen and changes the report:\n%s", off, diff)
			}
		}
		flip(t, b.WAL, off)
	}
	if tried := int(b.Bytes / 23); passed > tried/10 {
		t.Errorf("%d of %d flipped bits passed", passed, tried)
	}
}

// TestVerifyFindsAnyCut cuts and zeroes a log at many places.
func TestVerifyFindsAnyCut(t *testing.T) {
	b := build(t, raftdirtest.Options{Index: 40, SnapshotAt: 10, Secrets: 5})
	whole, err := os.ReadFile(b.WAL)
	must(t, err)
	for off := int64(0); off < b.Bytes; off += 37 {
		must(t, os.WriteFile(b.WAL, whole[:off], 0o600))
		mustCover(t, b, "a cut", off)
		hole := bytes.Clone(whole)
		clear(hole[off:min(off+512, b.Bytes)])
		must(t, os.WriteFile(b.WAL, hole, 0o600))
		mustCover(t, b, "a hole", off)
	}
}

// mustCover accepts a log only where it still reaches the index that was seen.
func mustCover(t *testing.T, b raftdirtest.Built, what string, off int64) {
	t.Helper()
	if r, err := raftdir.Verify(t.Context(), b.Dir, raftdir.Options{MinIndex: b.Last}); err == nil && (r.Index != b.Last || r.Objects.Secrets != 5) {
		t.Errorf("%s at %d of %d goes unseen: %+v", what, off, b.Bytes, r)
	}
}

func TestVerifyStopsWhenTold(t *testing.T) {
	b := build(t, raftdirtest.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := raftdir.Verify(ctx, b.Dir, raftdir.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestVerifyIsSilent: nothing reaches the process's logger, whatever is wrong.
func TestVerifyIsSilent(t *testing.T) {
	var said bytes.Buffer
	logrus.SetOutput(&said)
	defer logrus.SetOutput(os.Stderr)
	for _, o := range []raftdirtest.Options{{}, {BadEntry: true}, {Index: 30, GapAt: 17}} {
		b := build(t, o)
		said.Reset()
		_, _ = raftdir.Verify(t.Context(), b.Dir, raftdir.Options{})
		if said.Len() > 0 {
			t.Errorf("logged: %s", &said)
		}
	}
}

func wantSilence(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{raftdirtest.UnlockKey, raftdirtest.OtherUnlockKey, "hunter2", "payload-", "secret-0", "PRIVATE KEY"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("error tells %q: %v", secret, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func remove(file string) func(*testing.T, raftdirtest.Built) {
	return func(t *testing.T, b raftdirtest.Built) { must(t, os.RemoveAll(filepath.Join(b.Dir, file))) }
}

func empty(dir string) func(*testing.T, raftdirtest.Built) {
	return func(t *testing.T, b raftdirtest.Built) {
		remove(dir)(t, b)
		must(t, os.Mkdir(filepath.Join(b.Dir, dir), 0o700))
	}
}

func write(file, content string) func(*testing.T, raftdirtest.Built) {
	return func(t *testing.T, b raftdirtest.Built) {
		must(t, os.WriteFile(filepath.Join(b.Dir, file), []byte(content), 0o600))
	}
}

func edit(file string, change func(string) string) func(*testing.T, raftdirtest.Built) {
	return func(t *testing.T, b raftdirtest.Built) {
		content, err := os.ReadFile(filepath.Join(b.Dir, file))
		must(t, err)
		write(file, change(string(content)))(t, b)
	}
}

func dropHeaders(key string) string {
	var kept []string
	for line := range strings.Lines(key) {
		if !strings.HasPrefix(line, "raft-dek") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func copyOver(t *testing.T, fromDir, from, toDir, to string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(fromDir, from))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(toDir, to), content, 0o600))
}

// fromOther puts files or directories of another swarm in place of its own.
func fromOther(files ...string) func(*testing.T, raftdirtest.Built) {
	return func(t *testing.T, b raftdirtest.Built) {
		other := raftdirtest.Build(t, filepath.Join(t.TempDir(), "swarm"), raftdirtest.Options{})
		for _, f := range files {
			remove(f)(t, b)
			must(t, os.Rename(filepath.Join(other.Dir, f), filepath.Join(b.Dir, f)))
		}
	}
}

func flip(t *testing.T, file string, off int64) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	b := make([]byte, 1)
	_, err = f.ReadAt(b, off)
	must(t, err)
	b[0] ^= 0x10
	_, err = f.WriteAt(b, off)
	must(t, err)
}

func size(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	must(t, err)
	return info.Size()
}

// segment gives a log file of several.
func segment(t *testing.T, b raftdirtest.Built, i int) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(b.Dir, logs, "*.wal"))
	must(t, err)
	if len(files) < 3 {
		t.Fatalf("the log has %d files, the case needs 3", len(files))
	}
	return files[i]
}

func dropSegment(t *testing.T, b raftdirtest.Built) { must(t, os.Remove(segment(t, b, 1))) }

// TestVerifyFindsAHoleBetweenRecords writes zeros where a record begins, which
// the decoder takes for the end of the log: all before it is sound, and no
// index is given that would tell.
func TestVerifyFindsAHoleBetweenRecords(t *testing.T) {
	b := build(t, raftdirtest.Options{Index: 40, SnapshotAt: 10, Secrets: 5})
	whole, err := os.ReadFile(b.WAL)
	must(t, err)
	begins := records(t, b.WAL)
	for _, off := range begins {
		hole := bytes.Clone(whole)
		clear(hole[off : off+8])
		must(t, os.WriteFile(b.WAL, hole, 0o600))
		_, err := raftdir.Verify(t.Context(), b.Dir, raftdir.Options{})
		if !errors.Is(err, raftdir.ErrLogDamaged) {
			t.Errorf("a hole at %d of %d: error %v", off, b.Bytes, err)
		}
	}
	if len(begins) < 80 {
		t.Errorf("only %d records", len(begins))
	}
}

// records gives the offsets at which the records of a log file begin.
func records(t *testing.T, file string) []int64 {
	t.Helper()
	f, err := os.Open(file)
	must(t, err)
	defer f.Close()
	var begins []int64
	decoder := wal.NewDecoder(fileutil.NewFileReader(f))
	for rec := (&walpb.Record{}); ; {
		off := decoder.LastOffset()
		err := decoder.Decode(rec)
		if errors.Is(err, io.EOF) {
			return begins
		}
		must(t, err)
		begins = append(begins, off)
	}
}
