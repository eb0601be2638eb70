package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// Backups writes a line for each backup, newest first, per repository.
func (s Screen) Backups(repositories []state.Repository, now time.Time) {
	for _, r := range repositories {
		s.printf("%s %s\n", s.paint(bold, "Repository "+r.Name), s.paint(dim, r.URL))
		if r.Problem != nil && r.Looked != state.Present {
			s.printf("  could not be looked at: which backups are there is not known\n")
			continue
		}
		if len(r.Backups) == 0 {
			s.printf("  no backup of this cluster\n")
			continue
		}
		rows := [][]string{{"ID", "BACKUP", "NODE", "AGE", "SIZE", "INDEX", "SERVICES", "SECRETS", "CONFIGS", "STATE"}}
		for _, b := range r.Backups {
			rows = append(rows, []string{b.ID, plain(b.Backup), plain(b.Node), Age(now, b.TakenAt), Bytes(storedSize(b)),
				fmt.Sprintf("%d.%d", b.Raft.Term, b.Raft.Index), fmt.Sprint(b.Raft.Objects.Services),
				fmt.Sprint(b.Raft.Objects.Secrets), fmt.Sprint(b.Raft.Objects.Configs), plain(backupState(b))})
		}
		s.table("  ", rows)
	}
}

func storedSize(b state.Backup) (n int64) {
	for _, o := range b.Stored {
		n += o.Size
	}
	return n
}

func backupState(b state.Backup) string {
	switch {
	case b.Problem != nil && b.Problem.Code == diag.BackupNotSigned:
		return "suspect: " + b.Problem.Text
	case b.Problem != nil:
		return "damaged: " + b.Problem.Text
	case len(b.Suspect) > 0:
		return "suspect: " + strings.Join(b.Suspect, "; ")
	case b.Verified == "":
		return "not verified"
	}
	words := "verified (" + b.Verified + ")"
	if c := b.Checked; c != nil && !c.Plan.IsZero() {
		words += ", checked (" + state.LevelPlan + ")"
	} else if c != nil && !c.Raft.IsZero() {
		words += ", checked (" + state.LevelRaft + ")"
	}
	if b.Kind != state.KindRegular {
		return b.Kind + ", " + words
	}
	return words
}

// checkedWords tell when each level of a check was proved last, "" where none was.
func checkedWords(c *state.Checks, now time.Time) string {
	if c == nil {
		return ""
	}
	var words []string
	for _, l := range []struct {
		level string
		at    time.Time
	}{{state.LevelObjects, c.Objects}, {state.LevelRaft, c.Raft}, {state.LevelPlan, c.Plan}} {
		if !l.at.IsZero() {
			words = append(words, fmt.Sprintf("%s %s (%s ago)", l.level, stamp(l.at), Age(now, l.at)))
		}
	}
	return strings.Join(words, ", ")
}

// Backup writes all that a manifest says. Whoever can write to the repository may have
// written it: each text is kept to its line.
func (s Screen) Backup(b state.Backup, repository string, now time.Time) {
	row := func(label, text string) {
		if text != "" {
			s.printf("  %s %s\n", s.paint(bold, fmt.Sprintf("%-14s", label)), plain(text))
		}
	}
	s.printf("%s\n", s.paint(bold, "Backup "+b.ID))
	row("state", backupState(b))
	row("repository", repository)
	row("of", fmt.Sprintf("cluster %s, backup %s (%s)", b.Cluster, b.Backup, b.Kind))
	row("taken", fmt.Sprintf("%s (%s ago) from %s, engine %s, %s", stamp(b.TakenAt), Age(now, b.TakenAt), b.Node, b.EngineVersion, b.Consistency))
	row("uploaded", stamp(b.UploadedAt))
	row("swarm", fmt.Sprintf("%s, created %s", b.SwarmID, stamp(b.Raft.ClusterCreated)))
	row("epoch", b.Epoch)
	row("node", fmt.Sprintf("%s at %s", b.NodeID, b.Address))
	row("raft", fmt.Sprintf("term %d, index %d, commit %d, snapshot %d", b.Raft.Term, b.Raft.Index, b.Raft.Commit, b.Raft.SnapshotIndex))
	for i, m := range b.Raft.Members {
		label := ""
		if i == 0 {
			label = "members"
		}
		s.printf("  %s %s\n", s.paint(bold, fmt.Sprintf("%-14s", label)), plain(m.NodeID+" "+m.Addr))
	}
	o := b.Raft.Objects
	row("holds", fmt.Sprintf("%d nodes, %d services, %d networks, %d secrets, %d configs, %d tasks", o.Nodes, o.Services, o.Networks, o.Secrets, o.Configs, o.Tasks))
	row("certificate", "of the node expires "+stamp(b.Raft.CertExpiry))
	if b.KeyEscrowed() {
		row("unlock key", "beside it, for whoever has an identity; fingerprint "+b.KeySHA256)
	} else if b.Autolocked {
		row("unlock key", "needed to restore; fingerprint "+b.KeySHA256)
	} else {
		row("unlock key", "not needed: the swarm was not auto-locked")
	}
	row("checked", checkedWords(b.Checked, now))
	if !b.PlainStored {
		opened := "never with an identity; requeen backup verify does it"
		if !b.OpenedAt.IsZero() {
			opened = fmt.Sprintf("%s (%s ago) with an identity", stamp(b.OpenedAt), Age(now, b.OpenedAt))
		}
		row("opened", opened)
	}
	if b.Signature != nil {
		row("signature", b.Signature.Key)
	}
	row("recipients", strings.Join(b.Recipients, ", "))
	if b.PlainStored {
		row("encryption", "none: stored in clear")
	}
	for _, d := range b.Data {
		row("data", dataWords(d))
	}
	for _, o := range b.Stored {
		row("object", fmt.Sprintf("%s  %s  sha256 %s", o.Name, Bytes(o.Size), o.SHA256))
	}
}
