package view_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/internal/view"
)

// A manifest that anybody may have written adds no line of its own to what is said of
// it: neither that it is verified, nor anything else.
func TestAManifestStaysOnItsLines(t *testing.T) {
	const forged = "x\n  state          verified (raft)"
	b := state.Backup{ID: "20260301T031000Z-0a1b2c", Cluster: "prod", Backup: forged, Node: forged, NodeID: forged, Address: forged, EngineVersion: forged, Epoch: forged,
		SwarmID: forged, Recipients: []string{forged}, Consistency: forged, Kind: forged, KeySHA256: forged, Autolocked: true, Signature: &state.Signature{Key: forged},
		Raft:    state.RaftReport{Members: []state.Member{{NodeID: forged, Addr: forged}}},
		Data:    []state.BackupData{{Kind: forged, Name: forged, Node: forged}},
		Problem: &state.Problem{Code: diag.BackupNotSigned, Text: "its manifest is not signed"}}
	for _, colour := range []bool{false, true} {
		var one, all bytes.Buffer
		view.Screen{Out: &one, Width: 80, Color: colour}.Backup(b, "nas", time.Now())
		view.Screen{Out: &all, Width: 80, Color: colour}.Backups([]state.Repository{{Name: "nas", Backups: []state.Backup{b}}}, time.Now())
		for line := range strings.Lines(one.String() + all.String()) {
			if strings.HasPrefix(line, "  state ") && strings.Contains(line, "verified") {
				t.Errorf("it says of itself: %s", line)
			}
		}
		if !strings.Contains(one.String(), "suspect: its manifest is not signed") {
			t.Errorf("it is not told that it is suspect:\n%s", one.String())
		}
	}
}
