package plan_test

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// oneOf is true once in n draws.
func oneOf(t *rapid.T, n int, label string) bool { return rapid.IntRange(0, n-1).Draw(t, label) == 0 }

// appNames are the services that data may be of; no swarm has the last.
var appNames = []string{"db", "web", "agent", "nightly", "ghost"}

// drawParts adds what a cluster has beside its managers, coherent or not: applications
// with data, copies in a second repository, and schedules.
func drawParts(t *rapid.T, in *plan.Input) {
	drawSources(t, in)
	drawCopies(t, in)
	for r := range in.State.Repositories {
		for i := range in.State.Repositories[r].Backups {
			drawHeld(t, in.Config, &in.State.Repositories[r].Backups[i])
		}
	}
	drawServices(t, in)
	drawSchedules(t, in)
}

// drawSources declares data, and draws what the hosts tell of them.
func drawSources(t *rapid.T, in *plan.Input) {
	for i := range in.Config.Backups {
		b := &in.Config.Backups[i]
		for k := range rapid.SampledFrom([]int{0, 0, 1, 2, 3}).Draw(t, "sources") {
			d := schema.Data{Kind: schema.DataVolume, Name: fmt.Sprintf("d%d", k), Timeout: time.Hour, OnError: rapid.SampledFrom([]string{schema.OnErrorFail, schema.OnErrorContinue}).Draw(t, "on_error"),
				Node: rapid.SampledFrom(in.Config.Nodes).Draw(t, "data's node").Name}
			if oneOf(t, 3, "directory") {
				d.Kind, d.Path = schema.DataDirectory, "/srv/"+d.Name
			} else {
				d.Volume = "vol" + d.Name
			}
			for range rapid.SampledFrom([]int{0, 1, 1, 2}).Draw(t, "services") {
				if s := rapid.SampledFrom(appNames[:2+rapid.IntRange(0, 3).Draw(t, "odder")]).Draw(t, "service"); !slices.Contains(d.Quiesce, s) {
					d.Quiesce = append(d.Quiesce, s)
				}
			}
			for _, c := range []**schema.Command{&d.Before, &d.After} {
				if oneOf(t, 4, "command") {
					*c = &schema.Command{Service: rapid.SampledFrom([]string{"", "db", "ghost"}).Draw(t, "in"), Args: []string{"true"}}
				}
			}
			b.Data = append(b.Data, d)
			if h := in.State.Host(d.Node); h != nil && d.Volume != "" && h.Volume(d.Volume) == nil {
				h.Volumes = append(h.Volumes, drawVolume(t, d.Volume))
			}
		}
	}
}

func drawVolume(t *rapid.T, name string) state.Volume {
	v := state.Volume{Name: name, Looked: state.Present, Driver: "local", Mountpoint: "/var/lib/docker/volumes/" + name + "/_data"}
	switch rapid.IntRange(0, 9).Draw(t, "volume") {
	case 0:
		v = state.Volume{Name: name, Looked: state.Absent}
	case 1:
		v.Driver = "nfs"
	case 2:
		v.Options = map[string]string{"type": "nfs"}
	case 3:
		v.Looked, v.Problem = state.Unknown, &state.Problem{Text: "no answer"}
	}
	return v
}

// drawCopies declares a second repository for some blocks, with what it holds of the
// first: missing, damaged, suspect, or of another swarm.
func drawCopies(t *rapid.T, in *plan.Input) {
	nas := schema.Repository{Name: "nas", URL: "file:///mnt/nas", Recipients: []string{"age1"}, Identity: rapid.SampledFrom([]string{"", "/id"}).Draw(t, "nas identity")}
	if !oneOf(t, 6, "no ID is declared") { // without it a backup of another swarm is a doubt, and nothing is planned
		in.Config.Cluster.ID = swarmID
	}
	if oneOf(t, 3, "other recipients") {
		nas.Recipients = []string{"age2"}
	}
	in.Config.Repositories[0].Identity = rapid.SampledFrom([]string{"/id", "/id", ""}).Draw(t, "identity")
	in.Config.Repositories = append(in.Config.Repositories, nas)
	for i := range in.Config.Backups {
		if b := &in.Config.Backups[i]; rapid.Bool().Draw(t, "copies") {
			b.Copies = rapid.SampledFrom([][]string{{"local", "nas"}, {"nas", "local"}}).Draw(t, "places")
			b.Repository = b.Copies[0]
		}
	}
	there := state.Repository{Name: "nas", URL: nas.URL, Looked: state.Present, Backups: []state.Backup{}}
	for _, b := range in.State.Repositories[0].Backups {
		if oneOf(t, 3, "missing") {
			continue
		}
		switch rapid.IntRange(0, 7).Draw(t, "copy") {
		case 0:
			b.Problem = &state.Problem{Code: "RQ112", Text: "swarm.tar.zst.age is missing"}
		case 1:
			b.SwarmID = "another"
		case 2:
			b.Suspect = []string{"few objects"}
		case 3:
			b.Verified = ""
		case 4:
			b.Cluster = "other"
		}
		there.Backups = append(there.Backups, b)
	}
	for range rapid.IntRange(0, 2).Draw(t, "nas alone") {
		there.Backups = append(there.Backups, drawBackup(t))
	}
	for _, r := range []*state.Repository{&there, &in.State.Repositories[0]} {
		if oneOf(t, 8, "down") {
			r.Looked, r.Backups, r.Problem = state.Absent, []state.Backup{}, &state.Problem{Code: "RQ210", Text: "no such device"}
		}
	}
	if !oneOf(t, 12, "not looked at") {
		in.State.Repositories = append(in.State.Repositories, there)
	}
}

// drawHeld draws which data a backup holds.
func drawHeld(t *rapid.T, cfg *schema.Config, b *state.Backup) {
	block := cfg.Backup(b.Backup)
	if block == nil || oneOf(t, 4, "without data") {
		return
	}
	for _, d := range append(slices.Clone(block.Data), schema.Data{Kind: schema.DataVolume, Name: "gone", Node: "m1"}) {
		held := state.BackupData{Kind: d.Kind, Name: d.Name, Node: d.Node, Object: d.Kind + "-" + d.Name, Files: 3, Bytes: 10}
		switch rapid.IntRange(0, 15).Draw(t, "held") {
		case 0:
			held.Missing, held.Object = true, ""
		case 1:
			held.Node = "m9"
		case 2:
			held.Bytes = 1 << 60
		case 3:
			continue
		default:
			if d.Name == "gone" {
				continue
			}
		}
		if held.Object != "" && !oneOf(t, 10, "no archive") {
			b.Stored = append(b.Stored, state.StoredObject{Name: held.Object, Size: 10, SHA256: "aa"})
		}
		b.Data = append(b.Data, held)
	}
}

// drawServices draws the applications: at rest since a cut, waiting for data, or not told
// at all.
func drawServices(t *rapid.T, in *plan.Input) {
	if in.State.Swarm == nil || oneOf(t, 8, "no services are told") {
		return
	}
	in.State.Swarm.Services = []state.ServiceScale{}
	pending := state.PendingRestore{ID: "20250310T020000Z-abcdef", Backup: "20250309T000000Z-0a1b2c", Repository: "local", Replace: rapid.Bool().Draw(t, "replace"), Sources: []string{"volume.d0"}}
	if list := in.State.Repositories[0].Backups; len(list) > 0 {
		pending.Backup = list[0].ID
	}
	for i, name := range appNames[:4] {
		s := state.ServiceScale{ID: name + "id", Name: name, Mode: []string{"replicated", "replicated", "global", "replicated-job"}[i], Replicas: 2}
		switch rapid.IntRange(0, 9).Draw(t, "service") {
		case 0:
			s.Replicas, s.Scale = 0, rapid.SampledFrom([]string{"2", "global", "nonsense"}).Draw(t, "scale")
		case 1:
			s.Replicas, s.Scale, s.Waits = 0, "2", rapid.SampledFrom([]string{pending.Value(), pending.Value(), "nonsense"}).Draw(t, "waits")
		case 2:
			continue
		case 3:
			s.Replicas = 0
		}
		in.State.Swarm.Services = append(in.State.Swarm.Services, s)
	}
}

// drawSchedules declares schedules, and draws what is on the hosts: one that differs, one
// that is not declared, another cluster's, or none.
func drawSchedules(t *rapid.T, in *plan.Input) {
	for i := range in.Config.Backups {
		if oneOf(t, 3, "scheduled") {
			in.Config.Backups[i].Schedule = &schema.Schedule{At: "03:10", On: rapid.SampledFrom(in.Config.Nodes).Draw(t, "on").Name}
		}
	}
	for i := range in.State.Hosts {
		if !oneOf(t, 4, "there") {
			continue
		}
		s := placed(rapid.SampledFrom([]string{"state", "weekly", "old"}).Draw(t, "schedule of"))
		switch rapid.IntRange(0, 3).Draw(t, "state of it") {
		case 0:
			s.Cluster = "other"
		case 1:
			s.Timer = "inactive"
		case 2:
			s.Damage = "the timer's unit was changed"
		}
		in.State.Hosts[i].Schedules = append(in.State.Hosts[i].Schedules, s)
	}
}
