package plan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// pruned is a plan that removes backups, from a swarm with backups a day apart.
func pruned(t testing.TB, days int, keep schema.Keep) (plan.Input, *plan.Plan) {
	t.Helper()
	cfg, st := literal(3, "state"), observed(3)
	cfg.Backups[0].Keep = &keep
	st.Repositories[0].Backups = dailies(5*time.Hour, days)
	in := plan.Input{Config: cfg, State: st, Now: observedAt, ToolVersion: "test"}
	p, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return in, p
}

func stale(p *plan.Plan, st *state.State) string {
	var words []string
	for _, c := range plan.Stale(p, st, plan.Done{}) {
		words = append(words, string(c.Kind)+": "+c.Text)
	}
	return strings.Join(words, "\n")
}

// The copy of a cut run takes the newest backup's place when it is stored, however long
// ago it was taken: what was the newest until then stays for an hour, and the plan that
// stores the copy is not stale at once.
func TestAnAdoptedCopyRemovesNotWhatItReplaces(t *testing.T) {
	cfg, st := literal(3, "state"), observed(3)
	cfg.Backups[0].Keep = &schema.Keep{Last: 1}
	st.Repositories[0].Backups = dailies(25*time.Hour, 2)
	st.Host("m2").Runs = []state.HostRun{cutRun(3 * time.Hour)}
	p, err := plan.Build(plan.Input{Config: cfg, State: st, Now: observedAt, ToolVersion: "test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Steps {
		if s.Kind == plan.PruneBackups && (len(s.Prune.Remove) != 1 || s.Prune.Remove[0].ID != st.Repositories[0].Backups[1].ID) {
			t.Errorf("removed: %+v", s.Prune.Remove)
		}
	}
	if p.Steps[len(p.Steps)-1].Kind != plan.PruneBackups {
		t.Errorf("nothing is removed: %s", p.Summary)
	}
	if have := stale(p, st); have != "" {
		t.Error(have)
	}
}

// A plan that copies a backup into a repository, and removes there what was the newest
// until then, can be begun.
func TestACopyAndWhatItReplaces(t *testing.T) {
	cfg, st := literal(3, "state"), observed(3)
	cfg.Repositories = append(cfg.Repositories, schema.Repository{Name: "nas", URL: "file:///mnt/nas", Recipients: cfg.Repositories[0].Recipients})
	cfg.Backups[0].Copies, cfg.Backups[0].Keep = []string{"local", "nas"}, &schema.Keep{Last: 1}
	st.Repositories = append(st.Repositories, state.Repository{Name: "nas", URL: "file:///mnt/nas", Looked: state.Present, Backups: dailies(30*time.Hour, 1)})
	st.Repositories[0].Backups = dailies(3*time.Hour, 1)
	for i := range st.Repositories {
		st.Repositories[i].Backups[0].Recipients = cfg.Repositories[0].Recipients
	}
	p, err := plan.Build(plan.Input{Config: cfg, State: st, Now: observedAt, ToolVersion: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Steps) != 2 || p.Steps[0].Kind != plan.CopyBackup || p.Steps[1].Kind != plan.PruneBackups {
		t.Errorf("steps: %s", p.Summary)
	}
	if have := stale(p, st); have != "" {
		t.Error(have)
	}
}

// A plan that removes is stale once one of its list is the newest verified backup, or
// none is there; that others are gone is no matter.
func TestPruneStale(t *testing.T) {
	in, p := pruned(t, 6, schema.Keep{Last: 2})
	list := in.State.Repositories[0].Backups
	for want, left := range map[string][]state.Backup{
		"":                                  list[:3],
		"is the newest verified one":        list[2:],
		"holds no verified backup of state": nil,
	} {
		in.State.Repositories[0].Backups = left
		if have := stale(p, in.State); want == "" && have != "" || !strings.Contains(have, want) {
			t.Errorf("with %d left: %q, want %q", len(left), have, want)
		}
	}
	doubted := slices.Clone(list)
	doubted[0].Suspect, doubted[1].Verified = []string{"it went back"}, ""
	in.State.Repositories[0].Backups = doubted
	if have := stale(p, in.State); !strings.Contains(have, string(plan.BackupNeeded)) {
		t.Errorf("with the newest in doubt: %q", have)
	}
	in.State.Repositories[0] = state.Repository{Name: "local", Looked: state.Absent}
	if have := stale(p, in.State); !strings.Contains(have, string(plan.RepositoryGone)) {
		t.Errorf("without its repository: %q", have)
	}
}

// What is to be kept by now is not removed, though it is on the list.
func TestPruneNow(t *testing.T) {
	in, p := pruned(t, 6, schema.Keep{Last: 3})
	in.State.Repositories[0].Backups = in.State.Repositories[0].Backups[1:] // somebody removed the newest
	now, err := plan.PruneNow(p, p.Steps[0], in.State)
	if err != nil || now.Newest != in.State.Repositories[0].Backups[0].ID || len(now.Stay) != 1 || now.Stay[0].ID != in.State.Repositories[0].Backups[2].ID || now.Last {
		t.Errorf("%+v, %v", now, err)
	}
}

// Whatever is there: the newest backup that counts is never removed, nothing in doubt
// changes what goes of the others, nothing goes that is another's, and what a plan
// leaves has nothing more to go.
func TestPruneProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawPruning(t)
		p, err := plan.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(p.Steps, func(s plan.Step) bool { return s.Kind == plan.PruneBackups })
		if i < 0 {
			return
		}
		goes := map[string]bool{}
		for _, j := range p.Steps[i].Prune.Remove {
			goes[j.ID] = true
		}
		repo := &in.State.Repositories[0]
		newest, left := "", []state.Backup{}
		for _, b := range repo.Backups {
			own := b.SwarmID == swarmID && b.Backup == "state" && b.Kind == state.KindRegular
			if goes[b.ID] && (!own || observedAt.Sub(b.TakenAt) < time.Hour) {
				t.Fatalf("%+v goes", b)
			}
			if own && newest == "" && len(b.Suspect) == 0 && b.Verified != "" && b.Problem == nil && b.Epoch == "" && !b.TakenAt.After(observedAt) {
				newest = b.ID
			}
			if !goes[b.ID] {
				left = append(left, b)
			}
		}
		if newest == "" || goes[newest] {
			t.Fatalf("the newest that counts, %q, goes", newest)
		}
		if plan.IsStale(plan.Stale(p, in.State, plan.Done{})) {
			t.Fatal("the plan is stale at once")
		}
		repo.Backups = left
		in.Prune = true
		again, err := plan.Build(in)
		if err != nil || len(p.Steps) == 1 && len(again.Steps) > 0 {
			t.Fatalf("then %d more steps, %v", len(again.Steps), err)
		}
	})
}

func drawPruning(t *rapid.T) plan.Input {
	cfg, st := literal(3, "state"), observed(3)
	count := func(name string) int { return rapid.IntRange(0, 4).Draw(t, name) }
	cfg.Backups[0].Keep = &schema.Keep{Last: 1 + count("last"), Daily: count("daily"), Weekly: count("weekly"), Within: time.Duration(count("within")) * 24 * time.Hour, TimeZone: "Europe/Amsterdam"}
	age := time.Duration(rapid.IntRange(0, 40).Draw(t, "newest, hours")) * time.Hour
	for range rapid.IntRange(1, 30).Draw(t, "backups") {
		b := aged(age)
		switch rapid.IntRange(0, 9).Draw(t, "what") {
		case 0:
			b.Suspect = []string{"it went back"}
		case 1:
			b.Problem = &state.Problem{Code: "RQ112", Text: "swarm.tar.zst.age is missing"}
		case 2:
			b.Backup = "weekly"
		case 3:
			b.Kind = state.KindSafety
		case 4:
			b.Epoch = "20250301T000000Z-abcdef"
		}
		st.Repositories[0].Backups = append(st.Repositories[0].Backups, b)
		age += time.Duration(rapid.IntRange(1, 50).Draw(t, "older by")) * 30 * time.Minute
	}
	return plan.Input{Config: cfg, State: st, Now: observedAt, ToolVersion: "test"}
}
