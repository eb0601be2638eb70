package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// PartSwarm names the swarm itself among the parts of a backup; its data are named as
// their blocks are: volume.pgdata, directory.traefik.
const PartSwarm = "swarm"

// DataRestore is what a step of a restore of the applications' data is about.
type DataRestore struct {
	// ID names the restore on the hosts and in the services' labels: that of the
	// recovery that it belongs to, where there is one.
	ID     string `json:"id"`
	Backup string `json:"backup"` // the ID of the backup that is restored
	// Services are the names of the services that have no tasks meanwhile.
	Services []string `json:"services,omitempty"`

	// Of a restore-volume step.

	Kind         string `json:"kind,omitempty"`          // volume or directory
	Name         string `json:"name,omitempty"`          // its block's label
	Volume       string `json:"volume,omitempty"`        // its name for the engine
	Path         string `json:"path,omitempty"`          // of a directory
	ObjectSHA256 string `json:"object_sha256,omitempty"` // of the stored archive
	Bytes        int64  `json:"bytes,omitempty"`         // of the archive before it was compressed
	Files        int64  `json:"files,omitempty"`         // entries in the archive
	// Replace sets aside what is in the place. Otherwise data are put only where
	// nothing is.
	Replace bool `json:"replace,omitempty"`
}

// How long the steps of a restore of data may take.
const (
	withholdTimeout    = 10 * time.Minute
	restoreDataTimeout = 12 * time.Hour
	releaseTimeout     = 5 * time.Minute
)

// restoredData is a volume or directory of a backup with the place that the
// configuration gives it now.
type restoredData struct {
	held   state.BackupData
	cfg    schema.Data
	node   *node
	object state.StoredObject
}

// wantsPart tells whether a part of a backup is to be restored.
func (p *planner) wantsPart(part string) bool {
	if len(p.in.Only) > 0 {
		return contains(p.in.Only, part) && !contains(p.in.Exclude, part)
	}
	return !contains(p.in.Exclude, part)
}

// declaredData finds the block that a backup's data come from: that of its own backup
// block, else the one of that name in another.
func (w *world) declaredData(b *state.Backup, id string) (schema.Data, bool) {
	var other *schema.Data
	for i := range w.cfg.Backups {
		for k := range w.cfg.Backups[i].Data {
			d := &w.cfg.Backups[i].Data[k]
			switch {
			case d.ID() != id:
			case w.cfg.Backups[i].Name == b.Backup:
				return *d, true
			case other == nil:
				other = d
			}
		}
	}
	if other == nil {
		return schema.Data{}, false
	}
	return *other, true
}

// dataOf are the data of a backup that are wanted, or why one of them can't be
// restored: then nothing is, since a service must not find half of its data.
func (p *planner) dataOf(c *candidate, wanted func(id string) bool) ([]restoredData, *Unmet) {
	var list []restoredData
	for _, held := range c.backup.Data {
		if !wanted(held.ID()) {
			continue
		}
		d, u := p.restorableData(c.backup, held)
		if u != nil {
			return nil, u
		}
		list = append(list, d)
	}
	for _, part := range p.in.Only {
		if part != PartSwarm && !slices.ContainsFunc(c.backup.Data, func(d state.BackupData) bool { return d.ID() == part }) {
			return nil, &Unmet{Code: diag.DataUnfit, Goal: "restore " + part + " from backup " + c.backup.ID,
				Reason: fmt.Sprintf("Backup %s does not hold %s; it holds %s.", c.backup.ID, part, listing(partsOf(c.backup))),
				Remedy: "Name one of those, or another backup: requeen backup show tells what it holds."}
		}
	}
	return list, nil
}

// partsOf are the parts of a backup, as -only names them.
func partsOf(b *state.Backup) []string {
	parts := []string{PartSwarm}
	for _, d := range b.Data {
		parts = append(parts, d.ID())
	}
	return parts
}

// restorableData is where one volume or directory goes, or why it can't.
func (p *planner) restorableData(b *state.Backup, held state.BackupData) (restoredData, *Unmet) {
	id := held.ID()
	refuse := func(code, node, remedy, format string, args ...any) (restoredData, *Unmet) {
		return restoredData{}, &Unmet{Code: code, Goal: "restore " + id + " from backup " + b.ID, Node: node, Reason: sentence(fmt.Sprintf(format, args...)),
			Remedy: remedy + " To restore without it, which lets its services start without their data: -exclude=" + id + "."}
	}
	if held.Missing {
		return refuse(diag.DataUnfit, "", "Use another backup.", "%s could not be read when backup %s was made, which went on without it", id, b.ID)
	}
	cfg, declared := p.w.declaredData(b, id)
	if !declared {
		return refuse(diag.DataUnfit, "", fmt.Sprintf("Declare %s %q in backup %q, with the node that it is to go to.", held.Kind, held.Name, b.Backup),
			"Backup %s holds %s of %s, and no backup block declares it any more: where it belongs is not known", b.ID, id, held.Node)
	}
	at := slices.IndexFunc(b.Stored, func(o state.StoredObject) bool { return o.Name == held.Object })
	n := p.w.node(cfg.Node)
	switch {
	case at < 0:
		return refuse(diag.DataUnfit, "", "Use another backup.", "Backup %s names %s, and has no archive of it", b.ID, id)
	case n == nil || n.doubt != nil || n.host.Looked != state.Present:
		return refuse(diag.DataUnfit, cfg.Node, "Bring "+cfg.Node+" back, or declare another node for it.", "%s belongs onto %s, which can't be reached", id, cfg.Node)
	}
	if d := n.host.SwarmDir; cfg.Kind == schema.DataVolume && (d.FreeBytes > 0 || d.TotalBytes > 0) && d.FreeBytes < held.Bytes+extraRoom {
		return refuse(diag.NoRoom, cfg.Node, "Free space on "+cfg.Node+".", "%s has %s free, and %s needs %s beside what is there", cfg.Node, room(d.FreeBytes), id, room(held.Bytes+extraRoom))
	}
	return restoredData{held: held, cfg: cfg, node: n, object: b.Stored[at]}, nil
}

// dataRestore is a restore of data that is being planned.
type dataRestore struct {
	id      string
	from    *candidate
	list    []restoredData
	replace bool
	through *node // the manager by which the swarm is told
	why     string
	// withheld are the names of services that wait for it already, or will when
	// they are first there.
	withheld []string
	recovers bool // the swarm is restored before it, with its services withheld
}

// restoreDataSteps plan a restore of data: its services are without tasks from before the
// first of them is touched until all are in their places.
func (p *planner) restoreDataSteps(r dataRestore) {
	if len(r.list) == 0 {
		return
	}
	services := slices.Clone(r.withheld)
	for _, d := range r.list {
		services = append(services, d.cfg.Quiesce...)
	}
	slices.Sort(services)
	services = slices.Compact(services)
	if !r.recovers && len(services) > 0 {
		p.dataStep(r.through, Quiesce, Interrupts, withholdTimeout, DataRestore{ID: r.id, Backup: r.from.backup.ID, Services: services},
			"%s. The services that use the data (%s) are scaled to 0, and carry what scale they had and what they wait for: whatever happens, the next plan goes on from there",
			r.why, listing(services))
	}
	for _, d := range r.list {
		p.restoreVolumeStep(r, d)
	}
	if r.recovers || len(services) > 0 {
		words := "The data are back: the services that waited for them get their scale back"
		p.dataStep(r.through, Resume, Safe, releaseTimeout, DataRestore{ID: r.id, Backup: r.from.backup.ID, Services: services}, "%s", words)
	}
}

func (p *planner) restoreVolumeStep(r dataRestore, d restoredData) {
	b, where := r.from.backup, "the volume "+d.cfg.Volume
	if d.cfg.Kind == schema.DataDirectory {
		where = d.cfg.Path
	}
	v := d.node.host.Volume(d.cfg.Volume)
	gone := d.cfg.Kind == schema.DataVolume && v != nil && v.Looked == state.Absent
	risk, what := Safe, "It is not there now, and is made"
	switch {
	case gone:
	case r.replace:
		risk, what = Destructive, "What is there is renamed beside it, and nothing of it is removed"
	default:
		what = "Where it holds anything it is kept as it is"
	}
	moved := ""
	if d.held.Node != d.cfg.Node {
		moved = fmt.Sprintf(", which was on %s", d.held.Node)
	}
	id := p.dataStep(d.node, RestoreVolume, risk, restoreDataTimeout, DataRestore{ID: r.id, Backup: b.ID, Services: slices.Clone(d.cfg.Quiesce),
		Kind: d.cfg.Kind, Name: d.cfg.Name, Volume: d.cfg.Volume, Path: d.cfg.Path, ObjectSHA256: d.object.SHA256,
		Bytes: d.held.Bytes, Files: d.held.Files, Replace: r.replace},
		"%s of backup %s, %s old, %s in %s%s, is unpacked beside %s on %s and takes its place once all of it is there and its digest held. %s",
		d.held.ID(), b.ID, span(p.in.Now.Sub(b.TakenAt)), room(d.held.Bytes), counted(int(d.held.Files), "file", "files"), moved, where, d.cfg.Node, what)
	p.plan.Steps[id-1].Repository = r.from.repository
	switch {
	case gone:
	case r.replace:
		p.hazard(diag.DataReplaced, id, d.cfg.Node, "What %s holds on %s is set aside, and its services go on with what it was %s ago (%s)",
			where, d.cfg.Node, span(p.in.Now.Sub(b.TakenAt)), stamp(b.TakenAt))
	default:
		p.hazard(diag.DataKept, id, d.cfg.Node, "If %s on %s holds anything, it is kept as it is and not restored; to replace it: requeen plan -restore=%s -only=%s",
			where, d.cfg.Node, b.ID, d.held.ID())
	}
}

func (p *planner) dataStep(n *node, kind Kind, risk Risk, timeout time.Duration, r DataRestore, format string, args ...any) int {
	return p.add(n, Step{Kind: kind, Risk: risk, TimeoutSeconds: seconds(timeout), DataRestore: &r, Reason: sentence(fmt.Sprintf(format, args...))})
}

// restoreDataWith ends the restore of a swarm with that of its data.
func (p *planner) restoreDataWith(c *candidate, target *node) {
	list, u := p.dataOf(c, p.comesAlong(c))
	if u != nil {
		return // restorable has said so
	}
	p.restoreDataSteps(dataRestore{id: p.plan.Recovery.ID, from: c, list: list, replace: p.in.Restore != "", through: target, recovers: true})
}

// restoreDataAsked plans the restore of data into a swarm that lives, of which nothing
// else is touched.
func (p *planner) restoreDataAsked() {
	if len(p.busy) > 0 {
		return
	}
	goal := "restore data of backup " + p.in.Restore
	c, why := p.askedBackup()
	if c == nil {
		p.unmet(Unmet{Code: diag.BackupUnfit, Goal: goal, Reason: sentenceCase(sentence(why)), Remedy: "requeen backup list shows what is there."})
		return
	}
	if repo := p.w.cfg.Repository(c.repository); repo != nil && !repo.Plaintext && repo.Identity == "" {
		p.unmet(Unmet{Code: diag.BackupUnfit, Goal: goal, Reason: fmt.Sprintf("Repository %s has no identity, and without it nothing can be opened.", c.repository), Remedy: remedy(diag.BackupUnfit)})
		return
	}
	through := p.talking()
	if !p.w.usable() || through == nil {
		p.unmet(Unmet{Code: diag.NotHealthy, Goal: goal, Reason: "No manager answers for the swarm, so that the services that use the data can't be kept away from them.",
			Remedy: "Bring the swarm back first (requeen plan), or restore it with its data: plan -restore without -only."})
		return
	}
	list, u := p.dataOf(c, p.wantsPart)
	if u != nil {
		p.unmet(*u)
		return
	}
	if len(list) == 0 {
		p.unmet(Unmet{Code: diag.DataUnfit, Goal: goal, Reason: fmt.Sprintf("Backup %s holds none of the data that were asked for; it holds %s.", c.backup.ID, listing(partsOf(c.backup))),
			Remedy: "Name what it holds with -only, or leave -exclude out."})
		return
	}
	if u := p.awaited(goal, list); u != nil {
		p.unmet(*u)
		return
	}
	p.restoreDataSteps(dataRestore{id: p.dataRestoreID(c, list), from: c, list: list, replace: true, through: through, why: "A restore of data was asked for"})
}

// dataRestoreID names a restore of data as a recovery is named. One that services wait
// for already is gone on with under its own name, where all that they wait for is
// brought: they are let run again by that name.
func (p *planner) dataRestoreID(c *candidate, list []restoredData) string {
	for _, value := range p.w.pendingRestores() {
		if r, ok := state.ParsePendingRestore(value); ok && r.Backup == c.backup.ID && r.Replace && brings(list, r.Sources) {
			return r.ID
		}
	}
	sum := sha256.Sum256([]byte(p.plan.Cluster + "\x00" + p.plan.SwarmID + "\x00" + p.plan.ConfigSHA256 + "\x00data\x00" + c.backup.ID + "\x00" + p.plan.PlannedAt.Format(time.RFC3339Nano)))
	return p.plan.PlannedAt.Format("20060102T150405Z") + "-" + hex.EncodeToString(sum[:3])
}

// talking is a declared manager that answers for the swarm, the leader where it does.
func (p *planner) talking() *node {
	var found *node
	for _, v := range p.w.voters {
		if v.up && v.node != nil && v.node.doubt == nil && v.node.host.Looked == state.Present && (found == nil || v.leader) {
			found = v.node
		}
	}
	return found
}

// pendingRestores are the values of the labels of services that wait for data, each once.
func (w *world) pendingRestores() []string {
	if w.st.Swarm == nil {
		return nil
	}
	var values []string
	for _, s := range w.st.Swarm.Services {
		if s.Waits != "" && !contains(values, s.Waits) {
			values = append(values, s.Waits)
		}
	}
	slices.Sort(values)
	return values
}

// awaitsData tells whether a service has no tasks because its data are not back yet.
// Nothing but the end of that restore lets it run again.
func (w *world) awaitsData(service string) bool {
	if w.st.Swarm == nil {
		return false
	}
	s := w.st.Swarm.Service(service)
	return s != nil && s.Waits != ""
}

// goOnRestoring plans what is left of restores of data that were cut: what the services
// of the swarm wait for.
func (p *planner) goOnRestoring() {
	if !p.w.usable() || len(p.busy) > 0 || p.plan.Recovery != nil {
		return
	}
	for _, value := range p.w.pendingRestores() {
		var names []string
		for _, s := range p.w.st.Swarm.Services {
			if s.Waits == value {
				names = append(names, s.Name)
			}
		}
		p.goOnRestore(value, names)
	}
}

func (p *planner) goOnRestore(value string, names []string) {
	goal := "the data of " + listing(names) + " are back, and they run"
	stuck := func(reason string) {
		p.unmet(Unmet{Code: diag.LeftoverStuck, Goal: goal, Reason: sentenceCase(sentence(reason)),
			Remedy: fmt.Sprintf("Mend that, or let them run on what is there. Type on a manager, for each: docker service update --label-rm %s NAME; the next plan scales it back.", state.ScaleWaitsLabel)})
	}
	r, ok := state.ParsePendingRestore(value)
	through := p.talking()
	if !ok || through == nil {
		stuck(fmt.Sprintf("The label %s of %s is %q, which says of no restore what is left of it", state.ScaleWaitsLabel, listing(names), value))
		return
	}
	c, why := p.backupByID(r.Backup)
	if c == nil {
		stuck("A restore of their data was cut, and " + why)
		return
	}
	list, u := p.dataOf(c, func(id string) bool { return contains(r.Sources, id) && p.wantsPart(id) })
	if u != nil {
		stuck("A restore of their data was cut. " + u.Reason)
		return
	}
	why = fmt.Sprintf("The restore %s of data was cut", r.ID)
	if len(list) == 0 { // nothing of it is wanted any more
		p.dataStep(through, Resume, Safe, releaseTimeout, DataRestore{ID: r.ID, Backup: r.Backup, Services: names}, "%s, and none of its data is wanted: the services that wait for them get their scale back", why)
		return
	}
	p.restoreDataSteps(dataRestore{id: r.ID, from: c, list: list, replace: r.Replace, through: through, why: why, withheld: names})
}

// dataSummary names what is restored, and the steps in their order.
func (p *planner) dataSummary() string {
	var words []string
	backup := ""
	for _, s := range p.plan.Steps {
		r := s.DataRestore
		if r == nil {
			continue
		}
		backup = r.Backup
		switch s.Kind {
		case RestoreVolume:
			words = append(words, "restore "+r.Kind+"."+r.Name+" on "+s.Node)
		case Quiesce:
			words = append(words, "quiesce "+listing(r.Services))
		default:
			words = append(words, "resume")
		}
	}
	if len(words) == 0 {
		return ""
	}
	return "data out of backup " + backup + ": " + strings.Join(words, ", ")
}
