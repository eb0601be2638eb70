package status

import (
	"fmt"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// backups judges every backup block.
func (j *judge) backups() {
	if len(j.in.Config.Backups) == 0 {
		j.find(NeedsHand, "", "", "No backup is declared: a lost swarm would be lost for good.", "Add a repository and a backup block to the configuration.")
	}
	for _, f := range plan.Freshnesses(j.in.Config, j.in.State, j.in.Now) {
		b := Backup{Name: f.Block.Name, Repository: f.Block.Repository, MaxAgeSeconds: int64(f.Block.MaxAge.Seconds()), Looked: f.Looked, Due: f.Due, Reason: f.Reason}
		if n := f.Newest; n != nil {
			b.NewestID, b.Node, b.TakenAt, b.UploadedAt, b.Verified, b.InClear = n.ID, n.Node, n.TakenAt, n.UploadedAt, n.Verified, n.PlainStored
			b.VerifiedAt = verifiedAt(n, j.in.Now)
			for _, o := range n.Stored {
				b.Bytes += o.Size
			}
		}
		j.copies(f, &b)
		j.backup(f, b)
		j.r.Backups = append(j.r.Backups, b)
	}
}

// verifiedAt is when a backup was last proved to be what it is called verified for: when
// it was made, or by a check since. A check in the future was none: nobody signs what is
// recorded of them.
func verifiedAt(b *state.Backup, now time.Time) time.Time {
	if b.Checked != nil && b.Checked.Raft.After(b.VerifiedAt) && !b.Checked.Raft.After(now) {
		return b.Checked.Raft
	}
	return b.VerifiedAt
}

// stored counts what the repository holds of a block.
func (j *judge) stored(b *Backup) {
	r := j.in.State.Repository(b.Repository)
	if r == nil {
		return
	}
	for i := range r.Backups {
		s := &r.Backups[i]
		switch {
		case s.Problem != nil && s.Problem.Code == diag.BackupNotSigned:
			j.find(NeedsHand, s.Problem.Code, "", fmt.Sprintf("Backup %s in repository %s is suspect: %s", s.ID, r.Name, sentence(s.Problem.Text)), s.Problem.Remedy)
		case s.Problem != nil:
			j.find(NeedsHand, or(s.Problem.Code, diag.BackupDamaged), "", fmt.Sprintf("Backup %s in repository %s is damaged: %s", s.ID, r.Name, sentence(s.Problem.Text)), s.Problem.Remedy)
		case s.Backup != b.Name || s.Kind != state.KindRegular:
			continue
		case len(s.Suspect) > 0:
			j.find(NeedsHand, diag.SuspectBackup, "", fmt.Sprintf("Backup %s in repository %s is suspect: %s", s.ID, r.Name, sentence(s.Suspect[0])), "requeen backup show "+s.ID)
		}
		if s.Backup == b.Name {
			b.Stored++
			if s.Problem != nil || len(s.Suspect) > 0 {
				b.NoUse++
			}
		}
	}
}

func (j *judge) backup(f plan.Freshness, b Backup) {
	switch {
	case !f.Looked:
		j.find(CannotTell, diag.RepositoryUnusable, "", f.Reason, f.Remedy)
		return
	case f.Due:
		code, text, remedy := "", fmt.Sprintf("Backup %s is due: %s.", b.Name, f.Reason), "requeen apply"
		for _, u := range j.plan.Unmet {
			if u.Goal == f.Goal {
				code, text, remedy = u.Code, fmt.Sprintf("Backup %s is due, and can't be made now. %s", b.Name, u.Reason), u.Remedy
			}
		}
		j.find(NeedsHand, code, "", text, remedy)
	}
	if f.Newest == nil || f.Newest.PlainStored {
		return
	}
	switch age := j.in.Now.Sub(b.OpenedAt); {
	case b.OpenedAt.IsZero():
		j.find(NeedsHand, diag.NeverOpened, "", fmt.Sprintf("No backup of %s was ever opened with an identity: nobody has shown that the one that belongs to the recipients exists.", b.Name), "requeen backup verify latest, with identity set in the repository block.")
	case age > j.in.Thresholds.OpenedAge:
		j.find(NeedsHand, diag.NeverOpened, "", fmt.Sprintf("A backup of %s was last opened with an identity %s; the threshold is %s.", b.Name, ago(j.in.Now, b.OpenedAt), Span(j.in.Thresholds.OpenedAge)), "requeen backup verify latest")
	}
}
