package plan_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// TestEveryRestoreOfDataKeepsTheRules asks for a restore of data, or lets a swarm that is
// lost be brought back, from anything that can be observed.
func TestEveryRestoreOfDataKeepsTheRules(t *testing.T) {
	restores, recoveries := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawCalm(t)
		if oneOf(t, 4, "wild") {
			in = drawWild(t)
		}
		in.Config.Recovery = &schema.Recovery{Allow: rapid.SampledFrom(allowances()).Draw(t, "allow")}
		lost := oneOf(t, 4, "everything is lost")
		if lost {
			emptied(in.State)
		}
		if !lost || rapid.Bool().Draw(t, "restore") {
			drawRestore(t, &in)
		}
		in.NoLock = oneOf(t, 4, "no lock")
		p, err := plan.Build(in)
		if err != nil {
			t.Fatal(err)
		}
		partRules(t, in, p)
		for _, d := range plan.Stale(p, in.State, plan.Done{}) {
			if len(p.Steps) > 0 && d.Kind != plan.AlreadyDone && d.Kind != plan.RunBegun {
				t.Fatalf("stale at once: %+v", d)
			}
		}
		if slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.Kind == plan.RestoreVolume }) {
			restores++
		}
		if p.Recovery != nil {
			recoveries++
		}
	})
	t.Logf("%d plans restore data, %d recover", restores, recoveries)
}

// drawCalm is a swarm that is well, with whatever parts beside it.
func drawCalm(t *rapid.T) plan.Input {
	cfg, st := literal(3, "state", "weekly"), observed(3)
	for range rapid.IntRange(1, 4).Draw(t, "backups") {
		st.Repositories[0].Backups = append(st.Repositories[0].Backups, drawBackup(t))
	}
	cfg.Backups[0].Keep = drawKeep(t)
	in := plan.Input{Config: cfg, State: st, Now: observedAt, ToolVersion: "test"}
	drawParts(t, &in)
	return in
}

// drawRestore asks for a restore, most often of data that a backup holds.
func drawRestore(t *rapid.T, in *plan.Input) {
	in.Restore = rapid.SampledFrom([]string{"latest", "20250309T000000Z-0a1b2c"}).Draw(t, "of")
	in.Only = rapid.SampledFrom([][]string{nil, {"volume.d0"}, {"directory.d1", "volume.d0"}, {"swarm"}}).Draw(t, "only")
	in.Exclude = rapid.SampledFrom([][]string{nil, {"swarm", "volume.gone"}, {"volume.d0"}, {"volume.gone"}}).Draw(t, "exclude")
	var held []state.Backup
	for _, r := range in.State.Repositories {
		for _, b := range r.Backups {
			if len(b.Data) > 0 && b.Problem == nil {
				held = append(held, b)
			}
		}
	}
	if len(held) == 0 || oneOf(t, 5, "of nothing") {
		return
	}
	b := rapid.SampledFrom(held).Draw(t, "held")
	in.Restore, in.Only, in.Exclude = b.ID, nil, nil
	for _, d := range b.Data {
		if !d.Missing && d.Name != "gone" && (len(in.Only) == 0 || rapid.Bool().Draw(t, "too")) {
			in.Only = append(in.Only, d.ID())
		}
	}
	if oneOf(t, 3, "with the swarm") {
		in.Only = append(in.Only, plan.PartSwarm)
	}
}

// emptied is a swarm of which no disk holds anything.
func emptied(st *state.State) {
	silent(st, "nobody answers")
	for i := range st.Hosts {
		h := &st.Hosts[i]
		h.Engine.LocalNodeState, h.Engine.NodeID, h.Engine.ClusterID, h.Engine.ControlAvailable = "inactive", "", "", false
		h.SwarmDir = state.SwarmDir{Presence: state.Absent, Path: "/var/lib/docker/swarm", FreeBytes: 20_000_000_000, FreeInode: 1_000_000}
	}
}

// partRules checks what a plan does to the applications' data, to copies and to
// schedules, against what was observed.
func partRules(t *rapid.T, in plan.Input, p *plan.Plan) {
	dataRules(t, in, p)
	restoreRules(t, in, p)
	storeRules(t, in, p)
	scheduleRules(t, in, p)
}

// dataRules: what is brought to rest is read at once, and has its scale back before
// anything else is done.
func dataRules(t *rapid.T, in plan.Input, p *plan.Plan) {
	var down *plan.Step
	read := map[string]int{}
	waits := waiting(in.State)
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.DataRestore != nil && s.Kind == plan.Resume {
			for _, name := range s.DataRestore.Services {
				delete(waits, name)
			}
		}
		if down != nil && (s.Data == nil || s.Backup != down.Backup) {
			t.Fatalf("step %d (%s) comes while %v are at rest", s.ID, s.Kind, down.Data.Services)
		}
		switch {
		case p.Recovery == nil && s.Kind == plan.Stop && read[s.Backup] < len(in.Config.Backup(s.Backup).Data):
			t.Fatalf("step %d stops a manager for %s before its data are read", s.ID, s.Backup)
		case s.Data == nil:
		case s.Kind == plan.Quiesce:
			for _, name := range s.Data.Services {
				if waits[name] != "" {
					t.Fatalf("step %d brings %s to rest, which waits for its data", s.ID, name)
				}
			}
			if len(s.Data.Services) > 0 {
				down = s
			}
		case s.Kind == plan.ArchiveData:
			read[s.Backup] += len(s.Data.Sources)
			for _, d := range s.Data.Sources {
				for _, name := range d.Quiesce {
					if d.LeftOut == "" && (down == nil || !slices.Contains(down.Data.Services, name)) {
						t.Fatalf("step %d reads %s, and %s is not at rest", s.ID, d.ID(), name)
					}
				}
			}
		case s.Backup == "":
		case down == nil && len(s.Data.Services) > 0 || down != nil && !slices.Equal(down.Data.Services, s.Data.Services):
			t.Fatalf("step %d gives %v their scale back, and others are at rest", s.ID, s.Data.Services)
		default:
			down = nil
		}
	}
	if down != nil {
		t.Fatalf("%v are left at rest by step %d", down.Data.Services, down.ID)
	}
}

// waiting are the services that wait for data, with the value that says for which.
func waiting(st *state.State) map[string]string {
	list := map[string]string{}
	if st.Swarm == nil {
		return list
	}
	for _, s := range st.Swarm.Services {
		if s.Waits != "" {
			list[s.Name] = s.Waits
		}
	}
	return list
}

// restoreRules: nothing is restored into a place whose services run, and they run again
// once all of it is back.
func restoreRules(t *rapid.T, in plan.Input, p *plan.Plan) {
	waits, over := map[string]string{}, map[string]bool{}
	for name, value := range waiting(in.State) {
		r, _ := state.ParsePendingRestore(value)
		waits[name] = r.ID
	}
	open := map[string]bool{}
	for _, s := range p.Steps {
		r := s.DataRestore
		switch {
		case r == nil:
			if len(open) > 0 {
				t.Fatalf("step %d (%s) comes while services wait for their data", s.ID, s.Kind)
			}
		case s.Kind == plan.Quiesce:
			open[r.ID] = true
			for _, name := range r.Services {
				waits[name] = r.ID
			}
		case s.Kind == plan.Resume:
			delete(open, r.ID)
			over[r.ID] = true
		case over[r.ID]:
			t.Fatalf("step %d restores data, and the services of %s were let loose", s.ID, r.ID)
		default:
			open[r.ID] = len(r.Services) > 0 || p.Recovery != nil
			if !open[r.ID] {
				delete(open, r.ID)
			}
			for _, name := range r.Services {
				if p.Recovery == nil && waits[name] != r.ID {
					t.Fatalf("step %d restores into a place whose service %s runs", s.ID, name)
				}
			}
			if r.Replace && p.BegunUntil().IsZero() {
				t.Fatalf("step %d replaces data, and the plan never expires", s.ID)
			}
		}
	}
	if len(open) > 0 {
		t.Fatalf("services are left waiting: %v", open)
	}
}

// counts tells whether a backup can be relied on, apart from the planner's own judgement.
func counts(in plan.Input, p *plan.Plan, block string, b *state.Backup) bool {
	return b.Backup == block && b.Cluster == in.Config.Cluster.Name && b.Kind == state.KindRegular && b.Problem == nil && b.Verified != "" && len(b.Suspect) == 0 &&
		b.SwarmID == p.SwarmID && (in.State.Swarm == nil || b.Epoch == in.State.Swarm.Epoch) && !b.TakenAt.After(in.Now.Add(5*time.Minute))
}

// storeRules: a copy is made of what is whole where it comes from, over nothing; and in
// no repository the newest backup that counts is removed, or the last.
func storeRules(t *rapid.T, in plan.Input, p *plan.Plan) {
	holds := map[string][]string{} // IDs that count, newest first, by repository and block
	any := map[string]bool{}       // whatever lies there
	for _, r := range in.State.Repositories {
		for _, block := range in.Config.Backups {
			list := slices.DeleteFunc(slices.Clone(r.Backups), func(b state.Backup) bool { return !counts(in, p, block.Name, &b) })
			slices.SortStableFunc(list, func(a, b state.Backup) int { return b.TakenAt.Compare(a.TakenAt) })
			for _, b := range list {
				holds[r.Name+" "+block.Name] = append(holds[r.Name+" "+block.Name], b.ID)
			}
		}
		for _, b := range r.Backups {
			any[r.Name+" "+b.ID] = true
		}
	}
	for _, s := range p.Steps {
		at := s.Repository + " " + s.Backup
		switch s.Kind {
		case plan.Verify:
			holds[at] = append([]string{s.Run}, holds[at]...)
		case plan.CopyBackup:
			block := in.Config.Backup(s.Backup)
			if !slices.Contains(holds[s.Copy.From+" "+s.Backup], s.Copy.ID) {
				t.Fatalf("step %d copies %q out of %s, which does not hold it whole: %v", s.ID, s.Copy.ID, s.Copy.From, holds)
			}
			if s.Copy.From == s.Repository || !block.HasPlace(s.Copy.From) || !block.HasPlace(s.Repository) || any[s.Repository+" "+s.Copy.ID] || in.NoLock {
				t.Fatalf("step %d copies from %s into %s", s.ID, s.Copy.From, s.Repository)
			}
			holds[at] = append([]string{s.Copy.ID}, holds[at]...)
		case plan.PruneBackups:
			if p.Recovery != nil || in.Restore != "" || in.NoLock {
				t.Fatalf("step %d removes backups beside a recovery or without the lock", s.ID)
			}
			gone := func(id string) bool {
				return slices.ContainsFunc(s.Prune.Remove, func(j plan.Judged) bool { return j.ID == id })
			}
			if len(holds[at]) == 0 || gone(holds[at][0]) {
				t.Fatalf("step %d removes the newest verified backup of %s: %v", s.ID, at, holds[at])
			}
			holds[at] = slices.DeleteFunc(holds[at], gone)
		}
	}
}

// scheduleRules: a schedule is touched last, under the lock, as it is declared, and never
// while the swarm is brought back.
func scheduleRules(t *rapid.T, in plan.Input, p *plan.Plan) {
	put := map[string]bool{}
	for i, s := range p.Steps {
		if !s.Schedules() {
			if i > 0 && p.Steps[i-1].Schedules() {
				t.Fatalf("step %d (%s) comes after a schedule was touched", s.ID, s.Kind)
			}
			continue
		}
		if p.Recovery != nil || in.Restore != "" || in.NoLock || s.Schedule == nil {
			t.Fatalf("step %d touches a schedule beside a recovery, or without the lock", s.ID)
		}
		b := in.Config.Backup(s.Schedule.Backup)
		declared := b != nil && b.Schedule != nil && b.Schedule.On == s.Node
		if (s.Kind == plan.PutSchedule) != declared || declared && put[b.Name] {
			t.Fatalf("step %d (%s) on %s is not as %q is declared", s.ID, s.Kind, s.Node, s.Schedule.Backup)
		}
		if declared {
			put[b.Name] = true
		}
	}
}
