package status

import (
	"fmt"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// Schedule is a schedule of this cluster as its host has it.
type Schedule struct {
	Backup      string    `json:"backup"` // the backup block's label
	Node        string    `json:"node"`   // whose host it is on
	Timer       string    `json:"timer"`  // systemd's word
	LastEndedAt time.Time `json:"last_ended_at,omitzero"`
	LastOK      bool      `json:"last_ok"`
	LastSeconds float64   `json:"last_duration_seconds,omitempty"`
}

// schedules judges the timers on the hosts, and how their last runs ended.
func (j *judge) schedules() {
	there := map[string]bool{}
	for _, h := range j.in.State.Hosts {
		for _, s := range h.Schedules {
			if s.Cluster == j.in.Config.Cluster.Name {
				there[s.Backup+" "+h.Name] = true
				j.schedule(h.Name, s)
			}
		}
	}
	for _, b := range plan.StraySchedules(j.in.Config, j.in.State, j.in.Now) {
		j.find(NeedsHand, diag.ScheduleStray, b.ScheduledOn, fmt.Sprintf("Backup %s of %s, taken %s, was made by the schedule on %s, which no node block declares: unless it was taken away there since, its timer and keys are on that host still.",
			b.ID, b.Backup, ago(j.in.Now, b.TakenAt), b.ScheduledOn), "")
	}
	for _, b := range j.in.Config.Backups {
		if b.Schedule == nil || there[b.Name+" "+b.Schedule.On] {
			continue
		}
		if h := j.in.State.Host(b.Schedule.On); h == nil || h.Looked != state.Present {
			j.find(CannotTell, "", b.Schedule.On, fmt.Sprintf("Whether the schedule of backup %s is on %s could not be looked at.", b.Name, b.Schedule.On), "")
			continue
		}
		j.find(NeedsHand, "", b.Schedule.On, fmt.Sprintf("The schedule of backup %s is declared on %s, and is not there.", b.Name, b.Schedule.On), "requeen apply")
	}
}

func (j *judge) schedule(node string, s state.HostSchedule) {
	r := Schedule{Backup: s.Backup, Node: node, Timer: s.Timer}
	unit := fmt.Sprintf("requeen-schedule-%s:%s", s.Cluster, s.Backup)
	if s.Damage != "" || s.Timer != "active" {
		j.find(NeedsHand, "", node, fmt.Sprintf("The schedule of backup %s on %s does not run as it was put there: %s.", s.Backup, node, or(s.Damage, "its timer is "+or(s.Timer, "not known"))), "requeen apply")
	}
	if l := s.Last; l != nil {
		r.LastEndedAt, r.LastOK, r.LastSeconds = l.EndedAt, l.OK, l.Took.Seconds()
		if !l.OK {
			j.find(NeedsHand, "", node, fmt.Sprintf("The last run of the schedule of backup %s failed, %s.", s.Backup, ago(j.in.Now, l.EndedAt)), fmt.Sprintf("journalctl -u %s.service on %s", unit, node))
		}
	}
	j.r.Schedules = append(j.r.Schedules, r)
}
