package raftdirtest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/moby/swarmkit/v2/manager/encryption"
	"github.com/moby/swarmkit/v2/manager/state/raft/storage"
	"go.etcd.io/etcd/server/v3/storage/wal"
)

// SegmentSize is how much is preallocated for each log file, instead of a real
// swarm's 64 MB.
const SegmentSize = 64 << 10

func init() { wal.SegmentSizeBytes = SegmentSize }

// Build writes into dir, which it makes where it is not there, the swarm
// directory that a manager of such a swarm leaves when it is stopped:
// certificates/, raft/, state.json and docker-state.json. It ends the test on
// any error.
func Build(t testing.TB, dir string, o Options) Built {
	t.Helper()
	o = o.withDefaults()
	check(t, os.MkdirAll(dir, 0o700))
	keys := logKeys{current: encryption.GenerateSecretKey()}
	if o.PendingKey {
		keys.pending = encryption.GenerateSecretKey()
	}
	root := writeCertificates(t, dir, o, keys)
	all := entries(t, o, root)
	writeLog(t, filepath.Join(dir, "raft"), o, all, keys)
	writeState(t, dir, o)
	b := Built{Dir: dir, Last: all[len(all)-1].Index, Root: root.Certs}
	b.find(t)
	return b
}

// find fills in where the log's files are.
func (b *Built) find(t testing.TB) {
	t.Helper()
	walDir, snapDir := filepath.Join(b.Dir, "raft", "wal-v3-encrypted"), filepath.Join(b.Dir, "raft", "snap-v3-encrypted")
	wals, err := storage.ListWALs(walDir)
	check(t, err)
	b.WAL = filepath.Join(walDir, wals[len(wals)-1])
	snaps, err := storage.ListSnapshots(snapDir)
	check(t, err)
	if len(snaps) > 0 {
		b.Snap = filepath.Join(snapDir, snaps[0])
	}
	content, err := os.ReadFile(b.WAL)
	check(t, err)
	b.Bytes = int64(len(bytes.TrimRight(content, "\x00")))
}

// writeState writes the two files in which the engine keeps addresses.
func writeState(t testing.TB, dir string, o Options) {
	t.Helper()
	type peer struct {
		NodeID string `json:"node_id"`
		Addr   string `json:"addr"`
	}
	peers := []peer{{o.NodeID, o.Addr}}
	for _, m := range o.Members {
		peers = append(peers, peer{m.NodeID, m.Addr})
	}
	writeJSON(t, filepath.Join(dir, "state.json"), peers)
	writeJSON(t, filepath.Join(dir, "docker-state.json"), map[string]any{
		"LocalAddr": "", "RemoteAddr": "", "ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": o.Addr,
		"DataPathAddr": "", "DefaultAddressPool": nil, "SubnetSize": 0, "DataPathPort": 0, "JoinInProgress": false,
	})
}

func writeJSON(t testing.TB, file string, v any) {
	t.Helper()
	b, err := json.Marshal(v)
	check(t, err)
	check(t, os.WriteFile(file, b, 0o600))
}
