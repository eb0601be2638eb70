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

const scheduleTimeout = 300 * time.Second

// scheduleFormat is raised when what is put on a host for the same declaration is
// another one than before.
const scheduleFormat = 2

// freshAt is how old a backup may be for a run at a time of day to make no other.
const freshAt = time.Hour

// Schedule is what a schedule step puts on its node, or an unschedule step takes away.
// It names the values that go along and holds none.
type Schedule struct {
	Backup       string `json:"backup"`                  // the backup block's label
	At           string `json:"at,omitempty"`            // HH:MM, every day
	TimeZone     string `json:"time_zone,omitempty"`     // of At; empty for the host's
	EverySeconds int64  `json:"every_seconds,omitempty"` // from one run to the next
	// FreshSeconds is how old a backup may be for a run to make no other.
	FreshSeconds int64 `json:"fresh_seconds,omitempty"`
	// Environment are the names of the environment variables whose values go along,
	// where they are at hand.
	Environment []string `json:"environment,omitempty"`
	// Exported are those of them that the run gives to what it calls, as credentials of
	// a repository.
	Exported []string `json:"exported,omitempty"`
	// Files are the configuration's files, by their names in its directory.
	Files    []string `json:"files,omitempty"`
	SignKey  bool     `json:"sign_key,omitempty"` // the sign_key of its repositories goes along
	Textfile string   `json:"textfile,omitempty"` // where runs leave their metrics
	// Declared is the digest of all that, of the configuration, and of the version.
	Declared string `json:"declared,omitempty"`
}

// Schedules tells whether a step is for a schedule on a host: it belongs to no recovery
// and to no backup, and changes nothing of the swarm.
func (s Step) Schedules() bool { return s.Kind == PutSchedule || s.Kind == TakeSchedule }

// scheduleOf is what a block declares, for the version of requeen that plans.
func (p *planner) scheduleOf(b schema.Backup) Schedule {
	cfg, d := p.in.Config, b.Schedule
	s := Schedule{Backup: b.Name, At: d.At, TimeZone: d.TimeZone, EverySeconds: int64(d.Every / time.Second), FreshSeconds: int64(freshAt / time.Second),
		Exported: d.Environment, Textfile: d.Textfile}
	if d.Every > 0 {
		s.FreshSeconds = s.EverySeconds / 2
	}
	s.Environment = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(cfg.Outside.Environment), d.Environment...))))
	for _, f := range cfg.Files {
		s.Files = append(s.Files, f.Name)
	}
	s.Files = slices.Compact(slices.Sorted(slices.Values(append(s.Files, cfg.Outside.Files...))))
	for _, name := range b.Places() {
		if r := cfg.Repository(name); r != nil && r.Signs() && (name == b.Repository || r.SignKeySet()) {
			s.SignKey = true
		}
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%d\n%s\n%s\n%q\n%q\n", scheduleFormat, p.in.ToolVersion, cfg.SHA256, d.On, fmt.Sprint(s.Environment, s.Files, s.SignKey))
	fmt.Fprintf(sum, "%q %q %d %q %q", s.At, s.TimeZone, s.EverySeconds, s.Textfile, s.Exported)
	s.Declared = hex.EncodeToString(sum.Sum(nil))
	return s
}

// schedules puts the timers where they are declared and takes them away where they are
// not. A partial plan leaves them as they are: so does the run of a schedule, which
// would else replace itself. So does one that brings the swarm back: the next plan, of
// what is there then, looks at them again.
func (p *planner) schedules() {
	if p.partial() || p.in.NoLock || p.in.Prune || p.plan.Recovery != nil || p.in.Restore != "" || p.recovering() {
		return
	}
	for _, n := range p.w.nodes {
		for _, have := range n.host.Schedules {
			if have.Cluster == p.w.cfg.Cluster.Name && n.doubt == nil && n.host.Looked == state.Present {
				p.unschedule(n, have)
			}
		}
	}
	for _, b := range sortedBackups(p.w.cfg) {
		if b.Schedule != nil {
			p.schedule(b)
		}
	}
}

// recovering tells whether a recovery is not at its end on a host that could be looked at.
func (p *planner) recovering() bool {
	id, _ := p.unliftedRecovery()
	return id != ""
}

// unschedule takes a schedule away that is not declared on this node.
func (p *planner) unschedule(n *node, have state.HostSchedule) {
	b := p.w.cfg.Backup(have.Backup)
	why := ""
	switch {
	case b == nil:
		why = fmt.Sprintf("No backup %q is declared any more", have.Backup)
	case b.Schedule == nil:
		why = fmt.Sprintf("Backup %s has no schedule any more", b.Name)
	case b.Schedule.On != n.cfg.Name:
		why = fmt.Sprintf("The schedule of backup %s is declared on %s, and no more on %s", b.Name, b.Schedule.On, n.cfg.Name)
	default:
		return
	}
	s := Step{Kind: TakeSchedule, Schedule: &Schedule{Backup: have.Backup}, Risk: Safe, TimeoutSeconds: seconds(scheduleTimeout),
		Reason: sentence(why + ": timer, service, program and keys are removed from the host. A run that is under way finishes its step first, and no manager stays stopped")}
	if len(p.w.cfg.Repositories) > 0 {
		s.Repository = p.w.cfg.Repositories[0].Name
	}
	if b != nil {
		s.Repository = b.Repository
	}
	p.add(n, s)
}

// schedule puts one where it is declared, unless it is there as it would be put now.
func (p *planner) schedule(b schema.Backup) {
	n := p.w.node(b.Schedule.On)
	if n.doubt != nil {
		return // which is told
	}
	goal := fmt.Sprintf("schedule backup %s on %s, %s", b.Name, n.cfg.Name, b.Schedule.Words())
	unplaced := func(code, reason string) {
		p.unmet(Unmet{Code: code, Goal: goal, Node: n.cfg.Name, Reason: sentence(reason), Remedy: remedy(code)})
	}
	if n.host.Looked != state.Present || n.host.MachineID == "" {
		unplaced(diag.ScheduleUnplaced, fmt.Sprintf("%s can't be looked at: whether the schedule is there is not known", n.cfg.Name))
		return
	}
	want := p.scheduleOf(b)
	why := p.scheduleDiffers(n, want)
	if why == "" {
		return
	}
	if have := p.in.HelperSystems; have != nil && !slices.Contains(have, n.host.System) {
		unplaced(diag.HelperMissing, fmt.Sprintf("%s needs a requeen for %s, and there is one for %s only", n.cfg.Name, or(n.host.System, "its system, which is not known"), or(listing(have), "nothing")))
		return
	}
	for _, name := range b.Places() {
		if r := p.w.cfg.Repository(name); name != b.Repository && r != nil && !r.SignKeySet() {
			continue // it gets copies as they were signed
		}
		if why := p.cannotSign(name); why != "" {
			unplaced(diag.NoSignKey, fmt.Sprintf("The schedule's runs sign what they make, and the private key of repository %s can't be put there: %s", name, why))
			return
		}
	}
	p.add(n, Step{Kind: PutSchedule, Schedule: &want, Repository: b.Repository, Risk: Safe, TimeoutSeconds: seconds(scheduleTimeout),
		Reason: sentence(fmt.Sprintf("Backup %s is to be made %s: %s. Put there, for root alone, are requeen %s, the configuration%s, a service and a timer",
			b.Name, b.Schedule.Words(), why, p.in.ToolVersion, goesAlong(want)))})
}

// scheduleDiffers says why a schedule is to be put there, "" where it is as declared.
func (p *planner) scheduleDiffers(n *node, want Schedule) string {
	var have *state.HostSchedule
	for i := range n.host.Schedules {
		if s := &n.host.Schedules[i]; s.Cluster == p.w.cfg.Cluster.Name && s.Backup == want.Backup {
			have = s
		}
	}
	switch {
	case have == nil:
		return "no schedule for it is on " + n.cfg.Name
	case have.Damage != "":
		return "what is there is not as it was put there: " + have.Damage
	case have.Timer != "active":
		return "its timer is " + or(have.Timer, "in a state that is not known")
	case have.Version != p.in.ToolVersion:
		return fmt.Sprintf("requeen %s is there", or(have.Version, "of an unknown version"))
	case have.Declared != want.Declared:
		return "what is there was put there for another configuration"
	case len(have.Stale) > 0:
		return "values that are there are not those that are at hand now: " + listing(have.Stale)
	}
	return ""
}

// goesAlong names the secrets that are put on the host.
func goesAlong(s Schedule) string {
	var list []string
	if len(s.Environment) > 0 {
		list = append(list, "the values of "+listing(s.Environment))
	}
	if s.SignKey {
		list = append(list, "the sign_key of its repositories")
	}
	if len(list) == 0 {
		return ""
	}
	return ", " + strings.Join(list, ", ")
}

// scheduleSummary names the hosts whose timers change.
func (p *planner) scheduleSummary() string {
	var parts []string
	for _, s := range p.plan.Steps {
		if s.Schedules() {
			parts = append(parts, fmt.Sprintf("%s %s on %s", kindWords[s.Kind], s.Schedule.Backup, s.Node))
		}
	}
	return strings.Join(parts, ", ")
}
