package plan_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// tameParts adds coherent data, copies and schedules to a world.
func tameParts(t *rapid.T, cfg *schema.Config, st *state.State) {
	for i := range cfg.Repositories {
		cfg.Repositories[i].Identity = "/id"
	}
	st.Swarm.Services = []state.ServiceScale{{ID: "a", Name: "agent", Mode: "global"}, {ID: "d", Name: "db", Mode: "replicated", Replicas: 2}, {ID: "w", Name: "web", Mode: "replicated", Replicas: 1}}
	for i := range cfg.Backups {
		tameSources(t, &cfg.Backups[i], st)
	}
	if rapid.Bool().Draw(t, "second repository") {
		tameCopies(t, cfg, st)
	}
	for i := range cfg.Backups {
		if oneOf(t, 3, "scheduled") {
			cfg.Backups[i].Schedule = &schema.Schedule{At: "03:10", On: rapid.SampledFrom([]string{"m1", "w1"}).Draw(t, "on")}
		}
	}
	for _, name := range []string{"m1", "w1"} {
		if oneOf(t, 3, "there") {
			st.Host(name).Schedules = []state.HostSchedule{placed(rapid.SampledFrom([]string{"state", "weekly", "old"}).Draw(t, "schedule of"))}
		}
	}
}

// tameSources declares data of which a backup can be made: what is on a node that is out
// of reach may be left out.
func tameSources(t *rapid.T, b *schema.Backup, st *state.State) {
	for k := range rapid.SampledFrom([]int{0, 0, 1, 2, 3}).Draw(t, "sources") {
		name := rapid.SampledFrom([]string{"m1", "w1", "m5"}).Draw(t, "data's node")
		h := st.Host(name)
		if h == nil {
			continue
		}
		d := schema.Data{Kind: schema.DataVolume, Name: fmt.Sprintf("d%d", k), Node: name, Timeout: time.Hour, OnError: schema.OnErrorFail, Volume: fmt.Sprintf("vold%d", k)}
		if oneOf(t, 3, "directory") {
			d.Kind, d.Volume, d.Path = schema.DataDirectory, "", "/srv/"+d.Name
		} else {
			h.Volumes = append(h.Volumes, state.Volume{Name: d.Volume, Looked: state.Present, Driver: "local", Mountpoint: "/v/" + d.Name})
		}
		if h.Looked != state.Present || oneOf(t, 4, "may be left out") {
			d.OnError = schema.OnErrorContinue
		}
		for _, s := range []string{"agent", "db", "web"} {
			if oneOf(t, 3, "uses "+s) {
				d.Quiesce = append(d.Quiesce, s)
			}
		}
		if oneOf(t, 4, "before") {
			d.Before = &schema.Command{Args: []string{"true"}}
		}
		b.Data = append(b.Data, d)
	}
}

// tameCopies declares a second repository, which lacks what the first holds, or holds it
// damaged or of another swarm: what is old is of no matter then. One that is young and
// whole is in one of the two at least.
func tameCopies(t *rapid.T, cfg *schema.Config, st *state.State) {
	cfg.Cluster.ID = swarmID // else a backup of another swarm is a doubt, and nothing is planned
	cfg.Repositories = append(cfg.Repositories, schema.Repository{Name: "nas", URL: "file:///mnt/nas", Recipients: []string{"age1"}, Identity: "/id"})
	nas := state.Repository{Name: "nas", URL: "file:///mnt/nas", Looked: state.Present, Backups: []state.Backup{}}
	for _, b := range st.Repositories[0].Backups {
		switch rapid.IntRange(0, 4).Draw(t, "copy") {
		case 0:
			b.Problem = &state.Problem{Code: "RQ112", Text: "swarm.tar.zst.age is missing"}
		case 1:
			b.SwarmID = "another"
		case 2:
			continue
		}
		nas.Backups = append(nas.Backups, b)
	}
	for i := range cfg.Backups {
		b := &cfg.Backups[i]
		if oneOf(t, 4, "in one alone") {
			continue
		}
		b.Copies = rapid.SampledFrom([][]string{{"local", "nas"}, {"nas", "local"}}).Draw(t, "places")
		b.Repository = b.Copies[0]
		if len(b.Data) == 0 && oneOf(t, 3, "young") {
			young := aged(5 * time.Hour)
			young.Backup, young.ID = b.Name, young.ID+b.Name
			young.Recipients = []string{"age1"}
			into := rapid.SampledFrom([][]*state.Repository{{&nas}, {&st.Repositories[0]}, {&nas, &st.Repositories[0]}}).Draw(t, "young in")
			for _, r := range into {
				r.Backups = append([]state.Backup{young}, r.Backups...)
			}
		}
	}
	st.Repositories = append(st.Repositories, nas)
}

// TestACutRestoreOfDataReachesTheSameEnd asks for data of the backup that a plan has
// made, cuts that, and plans without asking again and again, cut anywhere: what the
// services wait for is restored, and they run.
func TestACutRestoreOfDataReachesTheSameEnd(t *testing.T) {
	asked := 0
	rapid.Check(t, func(t *rapid.T) {
		m := drawTame(t)
		m.run(m.plan(t, true), -1)
		var only []string
		b := m.st.Repository(m.cfg.Backups[0].Repository).Backups[0]
		for _, d := range b.Data {
			if !d.Missing {
				only = append(only, d.ID())
			}
		}
		if len(only) == 0 {
			return
		}
		asked++
		p, err := plan.Build(plan.Input{Config: m.cfg, State: m.observe(), Now: m.now, ToolVersion: "test", Restore: b.ID, Only: only})
		if err != nil || len(p.Unmet) > 0 || len(p.Steps) < len(only) {
			t.Fatalf("%v: %s", err, p.Summary)
		}
		partRules(t, plan.Input{Config: m.cfg, State: m.observe(), Now: m.now, Restore: b.ID}, p)
		cut := rapid.IntRange(0, len(p.Steps)).Draw(t, "cut after")
		m.run(p, cut)
		withheld := cut > 0 && p.Steps[0].Kind == plan.Quiesce
		for range rapid.IntRange(0, 3).Draw(t, "cuts") {
			next := m.plan(t, false)
			partRules(t, plan.Input{Config: m.cfg, State: m.observe(), Now: m.now}, next)
			m.run(next, rapid.IntRange(0, len(next.Steps)).Draw(t, "cut after"))
		}
		m.run(m.plan(t, false), -1)
		finished(t, m)
		id := p.Steps[0].DataRestore.ID
		for _, source := range only {
			if withheld && m.restored[id+" "+source] == 0 {
				t.Fatalf("%s is not restored: %v", source, m.restored)
			}
		}
	})
	t.Logf("%d restores", asked)
}

// TestPlansOfPartsKeepTheRules: of a world that is well, whatever it has beside its
// managers; cut anywhere too.
func TestPlansOfPartsKeepTheRules(t *testing.T) {
	kinds := map[plan.Kind]int{}
	rapid.Check(t, func(t *rapid.T) {
		m := drawTame(t)
		for range 3 {
			in := plan.Input{Config: m.cfg, State: m.observe(), Now: m.now, ToolVersion: "test"}
			p, err := plan.Build(in)
			if err != nil {
				t.Fatal(err)
			}
			if in.State.Swarm != nil {
				rules(t, in, p)
			}
			for _, s := range p.Steps {
				kinds[s.Kind]++
			}
			m.run(p, rapid.IntRange(0, len(p.Steps)).Draw(t, "cut after"))
		}
	})
	for _, k := range []plan.Kind{plan.Quiesce, plan.ArchiveData, plan.Resume, plan.CopyBackup, plan.PutSchedule, plan.TakeSchedule, plan.PruneBackups} {
		if kinds[k] == 0 {
			t.Errorf("no plan has a step of kind %s: %v", k, kinds)
		}
	}
}
