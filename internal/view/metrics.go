package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/status"
	"github.com/requeen/requeen/plan"
)

// conditions are all that a cluster can be in, so that each is a series from the first
// look on.
var conditions = []plan.ConditionName{plan.Healthy, plan.Degraded, plan.Locked, plan.Leaderless, plan.Stopped, plan.Orphaned, plan.AbsentAll,
	plan.Split, plan.Forked, plan.Foreign, plan.Unknown}

// Metrics is a report in the text format of Prometheus. Of what is not known there is no
// sample.
func Metrics(r *status.Report) string {
	m := &metrics{cluster: r.Cluster}
	m.stamp("requeen_observed_timestamp_seconds", "When the cluster was looked at.", r.ObservedAt)
	m.family("requeen_condition", "1 for the condition that the cluster is in.")
	for _, c := range conditions {
		m.sample(truth(c == r.Condition.Name), "condition", string(c))
	}
	m.one("requeen_attention", "1 where something needs a hand; requeen status says what.", truth(r.Verdict == status.Attention))
	m.one("requeen_managers", "Managers that count for the quorum.", float64(r.Quorum.Managers))
	m.one("requeen_managers_up", "Managers of them that are up.", float64(r.Quorum.Up))
	m.one("requeen_quorum_spare", "Managers that may still fail with the quorum kept; below 0 it is lost.", float64(r.Quorum.Spare))
	m.backups(r.Backups)
	m.schedules(r.Schedules)
	return m.b.String()
}

func (m *metrics) backups(list []status.Backup) {
	each := func(name, help string, value func(status.Backup) (float64, bool)) {
		m.family(name, help)
		for _, b := range list {
			if v, known := value(b); known {
				m.sample(v, "backup", b.Name, "repository", b.Repository)
			}
		}
	}
	at := func(t time.Time) (float64, bool) { return seconds(t), !t.IsZero() }
	each("requeen_backup_timestamp_seconds", "When the newest verified backup was taken.", func(b status.Backup) (float64, bool) { return at(b.TakenAt) })
	each("requeen_backup_size_bytes", "Size of the newest verified backup as it is stored.", func(b status.Backup) (float64, bool) { return float64(b.Bytes), b.NewestID != "" })
	each("requeen_backup_duration_seconds", "From the stop of the engine to the end of the upload, of the newest verified backup.", func(b status.Backup) (float64, bool) {
		return b.UploadedAt.Sub(b.TakenAt).Seconds(), !b.TakenAt.IsZero() && !b.UploadedAt.IsZero()
	})
	each("requeen_backup_verified_timestamp_seconds", "When the newest verified backup was last verified.", func(b status.Backup) (float64, bool) { return at(b.VerifiedAt) })
	each("requeen_backup_opened_timestamp_seconds", "When a backup with its recipients was last opened with an identity.", func(b status.Backup) (float64, bool) { return at(b.OpenedAt) })
	each("requeen_backup_due", "1 where a new backup is due by max_age.", func(b status.Backup) (float64, bool) { return truth(b.Due), b.Looked })
	each("requeen_backup_max_age_seconds", "The age at which a new backup is due.", func(b status.Backup) (float64, bool) { return float64(b.MaxAgeSeconds), true })
	each("requeen_backup_stored", "Backups that the repository holds.", func(b status.Backup) (float64, bool) { return float64(b.Stored), b.Looked })
	each("requeen_repository_up", "1 where the backup's repository could be looked at.", func(b status.Backup) (float64, bool) { return truth(b.Looked), true })
}

func (m *metrics) schedules(list []status.Schedule) {
	each := func(name, help string, value func(status.Schedule) (float64, bool)) {
		m.family(name, help)
		for _, s := range list {
			if v, known := value(s); known {
				m.sample(v, "backup", s.Backup, "node", s.Node)
			}
		}
	}
	each("requeen_schedule_active", "1 where the timer of the schedule runs on its host.", func(s status.Schedule) (float64, bool) { return truth(s.Timer == "active"), true })
	each("requeen_schedule_last_run_timestamp_seconds", "When the last run of the schedule ended.", func(s status.Schedule) (float64, bool) { return seconds(s.LastEndedAt), !s.LastEndedAt.IsZero() })
	each("requeen_schedule_last_run_success", "1 where the last run made its backup, or found a fresh one.", func(s status.Schedule) (float64, bool) { return truth(s.LastOK), !s.LastEndedAt.IsZero() })
	each("requeen_schedule_last_run_duration_seconds", "How long the last run took.", func(s status.Schedule) (float64, bool) { return s.LastSeconds, !s.LastEndedAt.IsZero() })
}

// metrics writes families; one without a sample is left out.
type metrics struct {
	b       strings.Builder
	cluster string
	name    string
	head    string // not yet written
}

func (m *metrics) family(name, help string) {
	m.name, m.head = name, fmt.Sprintf("# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
}

func (m *metrics) one(name, help string, value float64) {
	m.family(name, help)
	m.sample(value)
}

func (m *metrics) stamp(name, help string, at time.Time) {
	if m.family(name, help); !at.IsZero() {
		m.sample(seconds(at))
	}
}

// sample writes a value with pairs of label and value, the cluster before them.
func (m *metrics) sample(value float64, labels ...string) {
	m.b.WriteString(m.head)
	m.head = ""
	fmt.Fprintf(&m.b, "%s{cluster=\"%s\"", m.name, label(m.cluster))
	for i := 0; i+1 < len(labels); i += 2 {
		fmt.Fprintf(&m.b, ",%s=\"%s\"", labels[i], label(labels[i+1]))
	}
	m.b.WriteString("} " + strconv.FormatFloat(value, 'f', -1, 64) + "\n")
}

func label(s string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
