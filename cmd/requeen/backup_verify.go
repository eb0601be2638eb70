package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/effects"
	"github.com/requeen/requeen/internal/observe"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

func newBackupVerifyCommand(a *app) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify ID|latest",
		Short: "Read a backup again and prove that it can be opened",
		Long: `Reads every stored object of a backup and compares its digest; then, with the
repository's identity, opens the backup on a private copy in memory and proves
its raft log readable. What was proved is named:

  objects   every object is there and its digest holds
  raft      it was decrypted, its log decodes without a gap, certificate and
            key match, and it holds what the manifest says

  plan      its restore can be planned onto the declared host, with the keys at
            hand: the hosts are looked at for this, and nothing is changed

Without -level it goes as far as raft where identity and unlock key are at hand,
and says what was in the way. With -level it is an error not to reach that level.

What was proved, and when, is recorded in the manifest, and so is that the backup
was opened with an identity: status tells how long ago that was. The record is not
signed, since whoever verifies need not be able to make backups.

A backup of an auto-locked swarm needs the unlock key of its time: the one beside it
where the backup block has unlock_key_escrow, else cluster.unlock_key.`,
		Example:           "  requeen backup verify latest\n  requeen backup verify -level=plan latest",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeLatest,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.backupVerify(cmd, f, args[0])
		},
	}
	f.register(cmd)
	f.jsonFlag(cmd)
	f.journalFlag(cmd)
	cmd.Flags().StringVar(&f.level, "level", "", "prove this `LEVEL`: objects, raft or plan (default as far as raft, where the keys are at hand)")
	mayBe(cmd, "level", state.LevelObjects, state.LevelRaft, state.LevelPlan)
	return cmd
}

type verifyFlags struct {
	repositoryFlags
	level string
}

func (a *app) backupVerify(cmd *cobra.Command, f verifyFlags, id string) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	if !slices.Contains([]string{"", state.LevelObjects, state.LevelRaft, state.LevelPlan}, f.level) {
		return diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("There is no level %q", f.level), Remedy: "name objects, raft or plan"}
	}
	open, err := a.openRepositories(ctx, &f.repositoryFlags)
	if err != nil {
		return err
	}
	repo, b, err := open.findBackup(ctx, id)
	if err != nil {
		return err
	}
	done, err := a.verify(ctx, open.cfg, repo, b, f)
	if err != nil {
		return err
	}
	unrecorded := ""
	opened := done.Level != state.LevelObjects && !b.PlainStored
	if err := repo.RecordChecked(ctx, b.ID, done.Level, opened, a.now()); err != nil {
		unrecorded = err.Error()
	}
	if f.json {
		err = writeLines(a.out, struct {
			ID string `json:"id"`
			verified
			Unrecorded string `json:"not_recorded,omitempty"`
		}{b.ID, done, unrecorded})
	} else {
		a.showVerified(b, done, unrecorded)
	}
	if err == nil && f.level != "" && f.level != done.Level {
		err = diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("Backup %s was proved up to the level %s, and not %s", b.ID, done.Level, f.level),
			Detail: sentenceOf(done.Short), Remedy: "mend what it names, then verify it again"}
	}
	return err
}

// verified is what a check proved, and onto which node a restore could be planned.
type verified struct {
	effects.Checked
	Onto string `json:"onto,omitempty"`
}

// verify proves the level that is asked for, or as much of it as can be.
func (a *app) verify(ctx context.Context, cfg *schema.Config, repo *repository.Repository, b state.Backup, f verifyFlags) (verified, error) {
	if f.level == state.LevelObjects {
		err := repo.VerifyObjects(ctx, b.ID)
		return verified{Checked: effects.Checked{Level: state.LevelObjects}}, err
	}
	var key []byte
	if cfg.Cluster.UnlockKey.Known() {
		key = []byte(cfg.Cluster.UnlockKey.Reveal())
	}
	checked, err := effects.Check(ctx, repo, b, cfg.Repository(repo.Name()).Identity != "", key)
	done := verified{Checked: checked}
	if err != nil || f.level != state.LevelPlan || checked.Level != state.LevelRaft {
		return done, err
	}
	done.Onto, done.Short, err = a.plansRestore(ctx, f, backupAt{repo.Name(), b.ID})
	if done.Onto != "" {
		done.Level = state.LevelPlan
	}
	return done, err
}

// plansRestore looks at the hosts and tells onto which node the restore of a backup,
// which was opened just now, can be planned; else why it can't.
func (a *app) plansRestore(ctx context.Context, f verifyFlags, at backupAt) (onto, why string, err error) {
	s, err := a.open(&f.configFlags)
	if err != nil {
		return "", "", err
	}
	defer s.close()
	s.openings = map[backupAt]*state.Opening{at: {}}
	st, err := s.look(ctx, observe.Options{})
	if err != nil {
		return "", "", err
	}
	onlyAt(st, at)
	s.openedInto(st)
	p, err := s.planned(st, s.app.now(), wish{restore: at.id})
	if err != nil {
		return "", "", err
	}
	onto, why = restoresAt(p, at)
	return onto, why, nil
}

// onlyAt takes the copies of a backup out of all repositories but its own: that a restore
// can be planned from another place proves nothing of this one.
func onlyAt(st *state.State, at backupAt) {
	for i := range st.Repositories {
		r := &st.Repositories[i]
		if r.Name != at.repository {
			r.Backups = slices.DeleteFunc(slices.Clone(r.Backups), func(b state.Backup) bool { return b.ID == at.id })
		}
	}
}

// restoresAt tells onto which node a plan restores the backup, else why it does not.
func restoresAt(p *plan.Plan, at backupAt) (onto, why string) {
	if r := p.Recovery; r != nil && r.Rung == plan.RungRestore && r.Backup == at.id && r.Repository == at.repository {
		return r.Node, ""
	}
	for _, u := range p.Unmet {
		if why == "" || strings.HasPrefix(u.Goal, "restore backup") {
			why = u.Reason
		}
	}
	if why == "" {
		why = "the plan does not restore it: " + p.Summary
	}
	return "", why
}

func (a *app) showVerified(b state.Backup, done verified, unrecorded string) {
	fmt.Fprintf(a.out, "Backup %s verified: %s\n", b.ID, done.Level)
	fmt.Fprintf(a.out, "  %d objects are there, and their digests hold\n", len(b.Stored))
	if done.Level != state.LevelObjects {
		r := done.Report
		fmt.Fprintf(a.out, "  opened with the identity; term %d, index %d; %d services, %d secrets, %d configs\n",
			r.Term, r.Index, r.Objects.Services, r.Objects.Secrets, r.Objects.Configs)
	}
	if done.Onto != "" {
		fmt.Fprintf(a.out, "  its restore can be planned, onto %s\n", done.Onto)
	}
	if unrecorded != "" {
		fmt.Fprintf(a.out, "  not recorded: %s\n", unrecorded)
	}
	if done.Short != "" {
		fmt.Fprintf(a.out, "  not further: %s\n", done.Short)
	}
}

// sentenceOf ends a reason with one full stop.
func sentenceOf(s string) string { return strings.TrimSuffix(s, ".") + "." }
