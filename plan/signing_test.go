package plan_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

func loadText(t *testing.T, text string) *schema.Config {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "prod.rq.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, ds := schema.Load(dir, schema.Options{})
	if cfg == nil {
		t.Fatal(ds)
	}
	return cfg
}

func planOf(t *testing.T, in plan.Input) *plan.Plan {
	t.Helper()
	p, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const verifyKeyLine = "  verify_key = [\"ed25519:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"]\n"

// signed is the repository block with a verify key and more.
func signed(more string) string {
	return strings.Replace(localRepository, "  identity", verifyKeyLine+more+"  identity", 1)
}

func hasHazard(p *plan.Plan, code string) bool {
	for _, h := range p.Hazards {
		if h.Code == code {
			return true
		}
	}
	return false
}

func unmetWith(p *plan.Plan, code string) *plan.Unmet {
	for i := range p.Unmet {
		if p.Unmet[i].Code == code {
			return &p.Unmet[i]
		}
	}
	return nil
}

// A backup that could not be signed is not begun: no manager is stopped for one that
// would count for nothing.
func TestBackupThatCanNotBeSigned(t *testing.T) {
	t.Parallel()
	key := "  sign_key = \"/etc/requeen/sign.key\"\n"
	for name, c := range map[string]struct {
		more string
		here plan.Here
		says string // "" where the backup is planned
	}{
		"no key declared": {says: "no sign_key"},
		"key at hand":     {more: key},
		"key not at hand": {more: key, here: plan.Here{CannotSign: map[string]string{"local": "the key can't be read: no such file."}}, says: "no such file"},
		"another's":       {more: key, here: plan.Here{CannotSign: map[string]string{"other": "x"}}},
	} {
		p := planOf(t, plan.Input{Config: loadText(t, config(3, signed(c.more), stateBackup)), State: observed(3), Now: observedAt, Here: c.here})
		u := unmetWith(p, diag.NoSignKey)
		if (u != nil) != (c.says != "") || (len(p.Steps) == 0) != (c.says != "") {
			t.Errorf("%s: %+v, %d steps", name, p.Unmet, len(p.Steps))
		} else if u != nil && !strings.Contains(u.Reason, c.says) {
			t.Errorf("%s: %s", name, u.Reason)
		}
	}
}

// A backup whose signature does not hold counts for nothing, whatever it says of
// itself: it is not fresh, is not restored by its ID, and says nothing of the swarm.
func TestBackupThatIsNotSigned(t *testing.T) {
	t.Parallel()
	st := observed(3)
	b := state.Backup{ID: "20250310T020000Z-0a1b2c", FormatVersion: 1, Kind: state.KindRegular, Cluster: "prod", Backup: "state", SwarmID: "another00000000000000000",
		Epoch: "20250101T000000Z-ffffff", Node: "m2", TakenAt: observedAt.Add(-1), Verified: "raft",
		Problem: &state.Problem{Code: diag.BackupNotSigned, Text: "its manifest is not signed", Remedy: "x"}}
	st.Repositories[0].Backups = []state.Backup{b}
	cfg := loadText(t, config(3, signed("  sign_key = \"/etc/requeen/sign.key\"\n"), stateBackup)+"\nrecovery {\n  allow = [\"restore\"]\n  restore_onto = \"m1\"\n}\n")
	p := planOf(t, plan.Input{Config: cfg, State: st, Now: observedAt})
	if !hasHazard(p, diag.BackupNotSigned) || hasHazard(p, diag.BackupDamaged) || len(p.Steps) == 0 || len(p.Unmet) > 0 || p.Condition.Name != plan.Healthy {
		t.Errorf("%+v\n%+v", p.Hazards, p.Unmet)
	}
	for _, ask := range []string{b.ID, "latest"} {
		p = planOf(t, plan.Input{Config: cfg, State: st, Now: observedAt, Restore: ask})
		if p.Recovery != nil || len(p.Unmet) == 0 {
			t.Errorf("%s is restored: %+v", ask, p.Recovery)
		}
	}
}

// What could keep every backup from being opened is named.
func TestOpenableHazards(t *testing.T) {
	t.Parallel()
	st := observed(3)
	st.Swarm.Autolock, st.Swarm.UnlockKeyKnown = true, true
	one := state.Backup{ID: "20250309T020000Z-0a1b2c", FormatVersion: 1, Kind: state.KindRegular, Cluster: "prod", Backup: "state", SwarmID: swarmID,
		Node: "m2", TakenAt: observedAt.Add(-1000), Verified: "raft", Recipients: []string{"age1b", "age1a"}}
	old := one
	old.ID, old.TakenAt, old.OpenedAt, old.Recipients = "20250308T020000Z-0a1b2c", observedAt.Add(-2000), observedAt, []string{"age1old"}
	st.Repositories[0].Backups = []state.Backup{one, old}
	build := func(text string) *plan.Plan {
		return planOf(t, plan.Input{Config: loadText(t, text), State: st, Now: observedAt, Here: plan.Here{Known: true, IdentityOn: map[string]string{"local": "m1"}}})
	}
	p := build(config(3))
	for _, code := range []string{diag.NeverOpened, diag.IdentityOnNode, diag.UnlockKeyNowhere} {
		if !hasHazard(p, code) {
			t.Errorf("%s is not told", code)
		}
	}
	st.Repositories[0].Backups[1].Recipients = []string{"age1a", "age1b"}
	p = build(config(3, localRepository, strings.Replace(stateBackup, "  max_age", "  unlock_key_escrow = true\n  max_age", 1)))
	if hasHazard(p, diag.NeverOpened) || hasHazard(p, diag.UnlockKeyNowhere) {
		t.Errorf("%+v", p.Hazards)
	}
}

// A backup of an auto-locked swarm is restored with the key of its time: another is
// told by its fingerprint while it is planned, and one that lies beside it serves.
func TestUnlockKeyOfItsTime(t *testing.T) {
	t.Parallel()
	st := observed(3)
	b := state.Backup{ID: "20250310T020000Z-0a1b2c", FormatVersion: 1, Kind: state.KindRegular, Cluster: "prod", Backup: "state", SwarmID: swarmID,
		Node: "m1", Address: "10.0.0.11", TakenAt: observedAt.Add(-1), Verified: "raft", EngineVersion: "28.5.2", Autolocked: true, KeySHA256: "aa",
		Stored: []state.StoredObject{{Name: "swarm.tar.zst.age", Size: 1}}}
	beside := []state.StoredObject{{Name: "swarm.tar.zst.age", Size: 1}, {Name: "unlock-key.tar.zst.age", Size: 1}}
	recovery := "\nrecovery {\n  allow = [\"restore\"]\n  restore_onto = \"m1\"\n}\n"
	with := strings.Replace(config(3), "cluster \"prod\" {\n", "cluster \"prod\" {\n  unlock_key = env(\"KEY\")\n", 1)
	for name, c := range map[string]struct {
		text   string
		have   string
		stored []state.StoredObject
		fits   bool
	}{
		"no key":              {config(3), "", b.Stored, false},
		"no key, but escrow":  {config(3), "", beside, true},
		"another key":         {with, "bb", b.Stored, false},
		"another, but escrow": {with, "bb", beside, true},
		"its key":             {with, "aa", b.Stored, true},
		"a key not seen here": {with, "", b.Stored, true},
	} {
		one := b
		one.Stored = c.stored
		st.Repositories[0].Backups = []state.Backup{one}
		p := planOf(t, plan.Input{Config: loadText(t, c.text+recovery), State: st, Now: observedAt, Restore: b.ID, Here: plan.Here{UnlockKey: c.have}})
		if fits := p.Recovery != nil && p.Recovery.Backup == b.ID; fits != c.fits || c.fits == (unmetWith(p, diag.NoUnlockKey) != nil) {
			t.Errorf("%s: %+v %+v", name, p.Recovery, p.Unmet)
		}
	}
}
