//go:build lab

package scenario

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

const scheduleHook = `  on_success = ["/bin/sh", "-c", "cat >\"$${RQ_HOOK_DIR:-/run}/hook.json\""]`

// scheduleUnit is what its service and timer are called.
func (s *swarm) scheduleUnit() string { return "requeen-schedule-" + s.lab.Name() + ":state" }

// TestSchedule has a timer of systemd make a backup on a manager itself, and takes it
// away again.
func TestSchedule(t *testing.T) {
	s := newSwarm(t, lab.Options{Name: "s6", Suite: "sid", Managers: 1, Workers: 1})
	s.sharedRepository("m1")
	s.env = append(s.env, "RQ_HOOK_DIR="+s.dir)
	s.edit("backup \"state\" {\n", "backup \"state\" {\n"+scheduleHook+"\n"+scheduleBlock("m1"))
	s.does("apply", "-auto-approve") // with the backup that is due
	s.allBack()
	if torture() {
		s.nothingToDo()
		s.timerMakesNone("m1")
	}
	s.timerMakes("m1")
	if torture() {
		s.scheduledRunIsKilled("m1")
	}
	s.edit(scheduleBlock("m1"), scheduleBlock("w1"))
	s.does("apply", "-auto-approve")
	s.noSchedule("m1")
	if out := s.on("w1", "systemctl is-active "+s.scheduleUnit()+".timer; stat -c %a /var/lib/requeen/schedules/*/"); out != "active\n700" {
		t.Errorf("w1 has:\n%s", out)
	}
	s.edit(scheduleBlock("w1"), "")
	s.does("apply", "-auto-approve")
	s.noSchedule("w1")
	s.allBack()
	s.nothingLeft()
}

func scheduleBlock(on string) string {
	return "  schedule {\n    every    = \"10m\"\n    on       = \"" + on + "\"\n    textfile = \"/run/requeen.prom\"\n  }\n"
}

// sharedRepository lets a node and this machine see one repository at one path.
func (s *swarm) sharedRepository(node string) {
	s.t.Helper()
	disk, shared := s.lab.Disk(node, "repository"), "/var/lib/requeen-lab-"+s.lab.Name()
	must(s.t, os.MkdirAll(disk, 0o700))
	_ = os.Remove(shared)
	must(s.t, os.Symlink(disk, shared))
	s.t.Cleanup(func() { _ = os.Remove(shared) })
	s.on(node, "ln -sfn /var/lib/docker/repository "+shared)
	s.edit("file://"+s.repository(), "file://"+shared)
	must(s.t, os.Symlink(disk, s.repository()))
}

// outdated removes every backup, so that the next run of the timer is to make one, and
// lets the timer begin anew.
func (s *swarm) outdated(node string) {
	s.t.Helper()
	old, err := filepath.Glob(filepath.Join(s.repository(), s.lab.Name(), "2*"))
	must(s.t, err)
	for _, dir := range old {
		must(s.t, os.RemoveAll(dir))
	}
	s.on(node, "systemctl restart "+s.scheduleUnit()+".timer")
}

// timerMakes waits for the timer's backup, and looks at all that tells of it.
func (s *swarm) timerMakes(node string) {
	s.t.Helper()
	s.outdated(node)
	s.runEnds(node)
	b := s.oneVerifiedBackup()
	var event struct {
		Event, Cluster, Backup, ID, Verified string
		Bytes                                int64
	}
	must(s.t, json.Unmarshal([]byte(s.on(node, "cat /run/hook.json")), &event))
	if event.Event != "backup.succeeded" || event.Cluster != s.lab.Name() || event.Backup != "state" || event.ID != b.ID || event.Bytes == 0 || event.Verified != b.Verified {
		s.t.Errorf("the hook got %+v", event)
	}
	for _, want := range []string{`requeen_schedule_last_run_success{cluster="` + s.lab.Name() + `",backup="state",node="m1"} 1`, `requeen_condition{cluster="` + s.lab.Name() + `",condition="healthy"} 1`, "requeen_backup_timestamp_seconds{"} {
		if text := s.on(node, "cat /run/requeen.prom"); !strings.Contains(text, want) {
			s.t.Errorf("the metrics lack %q:\n%s", want, text)
		}
	}
	if mode := s.on(node, "stat -c %a /run/requeen.prom"); mode != "644" {
		s.t.Errorf("the metrics have mode %s", mode)
	}
	if log := s.on(node, "journalctl -u "+s.scheduleUnit()+".service -o cat"); !strings.Contains(log, b.ID) {
		s.t.Errorf("the journal does not name %s:\n%s", b.ID, log)
	}
	s.allBack()
	s.nothingLeft()
}

// timerMakesNone waits for a run that finds a fresh backup.
func (s *swarm) timerMakesNone(node string) {
	s.t.Helper()
	s.eventually(time.Minute, "the first run finds a fresh backup", func() (bool, error) {
		return strings.Contains(s.on(node, "journalctl -u "+s.scheduleUnit()+".service -o cat"), "none is made while one is younger"), nil
	})
	if n := len(s.backups()); n != 1 {
		s.t.Errorf("the repository holds %d backups", n)
	}
}

// runEnds waits until a run of the timer has made a backup, and has ended.
func (s *swarm) runEnds(node string) {
	s.t.Helper()
	s.eventually(3*time.Minute, "the timer makes a backup", func() (bool, error) {
		made, err := filepath.Glob(filepath.Join(s.repository(), s.lab.Name(), "2*", "manifest.json"))
		state, _ := s.lab.Run(s.ctx, node, "systemctl is-active "+s.scheduleUnit()+".service; true")
		return len(made) > 0 && strings.TrimSpace(state) == "inactive", err
	})
}

// scheduledRunIsKilled kills a run while its manager is stopped: the host brings it back,
// and the next run of the timer makes the backup and leaves nothing.
func (s *swarm) scheduledRunIsKilled(node string) {
	s.t.Helper()
	s.outdated(node)
	s.eventually(2*time.Minute, "the run has stopped its manager", func() (bool, error) {
		out, _ := s.lab.Run(s.ctx, node, "cat /var/lib/requeen/runs/*/status 2>/dev/null")
		return strings.Contains(out, "stopping"), nil
	})
	s.on(node, "systemctl kill -s KILL "+s.scheduleUnit()+".service")
	s.allBack()
	s.outdated(node)
	s.runEnds(node)
	s.oneVerifiedBackup()
	s.nothingLeft()
}

// noSchedule says that nothing of a schedule is on a node.
func (s *swarm) noSchedule(node string) {
	s.t.Helper()
	if out := s.on(node, "ls -d /var/lib/requeen/schedules /etc/systemd/system/requeen-schedule-* 2>/dev/null; systemctl list-units --all --no-legend --plain 'requeen-schedule-*'; true"); out != "" {
		s.t.Errorf("%s still has:\n%s", node, out)
	}
}
