//go:build lab

package scenario

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

// scheduleZone is 5 hours and 45 minutes ahead, which no zone of the hosts' is.
const scheduleZone = "Asia/Kathmandu"

const secondBackup = `
backup "second" {
  repository = "offsite"
  max_age    = "24h"
  swarm { from = "follower" }
  schedule {
    at          = "AT"
    time_zone   = "ZONE"
    on          = "m3"
    environment = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
  }
}
`

const stateSchedule = `  schedule {
    at          = "AT"
    time_zone   = "ZONE"
    on          = "m2"
    environment = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    textfile    = "/run/requeen.prom"
  }
`

// schedules has two timers of systemd, on two followers, come due at one time of day
// that is told in a zone of its own: both make their backups, one after the other.
func (k *kept) schedules() {
	k.lead("m1")
	k.reachesOthers("m2")
	zone, err := time.LoadLocation(scheduleZone)
	must(k.t, err)
	k.edit("backup \"state\" {\n", "backup \"state\" {\n"+stateSchedule)
	k.append(secondBackup)
	k.edit("ZONE", scheduleZone)
	at := time.Now().Add(40 * time.Second).Truncate(time.Minute).Add(time.Minute)
	k.edit("\"AT\"", "\""+at.In(zone).Format("15:04")+"\"")
	k.does("apply", "-auto-approve")
	k.allBack()
	for node, name := range scheduledOn {
		// What spreads runs over half a minute is left out, so that they meet.
		k.on(node, "mkdir /run/systemd/system/"+k.unit(name)+".timer.d && printf '[Timer]\\nRandomizedDelaySec=0\\n' >/run/systemd/system/"+k.unit(name)+".timer.d/lab.conf && systemctl daemon-reload")
		next := k.on(node, "systemctl show -P NextElapseUSecRealtime "+k.unit(name)+".timer")
		if want := at.UTC().Format("Mon 2006-01-02 15:04:05 UTC"); next != want {
			k.t.Errorf("the timer of %s elapses next at %s, want %s", name, next, want)
		}
	}
	k.removesBackups()
	if time.Now().After(at) {
		k.t.Fatalf("it took until %s to have the schedules in place", time.Now())
	}
	k.timersMake()
	k.nothingToDo()
	k.nothingLeft()
}

var scheduledOn = map[string]string{"m2": "state", "m3": "second"}

func (k *kept) unit(backup string) string {
	return "requeen-schedule-" + k.lab.Name() + ":" + backup
}

// reachesOthers gives root of a node the key by which the operator reaches the others.
func (k *kept) reachesOthers(node string) {
	k.t.Helper()
	k.on(node, "mkdir -p -m 700 /root/.ssh")
	for name, mode := range map[string]string{"id_ed25519": "600", "known_hosts": "644"} {
		text, err := os.ReadFile(filepath.Join(k.lab.Dir(), "ssh", name))
		must(k.t, err)
		k.on(node, "echo "+base64.StdEncoding.EncodeToString(text)+" | base64 -d >/root/.ssh/"+name+" && chmod "+mode+" /root/.ssh/"+name)
	}
}

// removesBackups lets both be due.
func (k *kept) removesBackups() {
	k.t.Helper()
	for _, dir := range []string{k.bucket, k.nas} {
		old, err := filepath.Glob(filepath.Join(dir, "2*"))
		must(k.t, err)
		for _, dir := range old {
			must(k.t, os.RemoveAll(dir))
		}
	}
}

// timersMake waits for both runs, and looks at what they made and told.
func (k *kept) timersMake() {
	k.t.Helper()
	for node, name := range scheduledOn {
		err := lab.WaitFor(k.ctx, 3*time.Minute, "the timer of "+name+" to have run", func() (bool, error) {
			out, _ := k.lab.Run(k.ctx, node, "cat /var/lib/requeen/schedules/*:"+name+"/last; systemctl is-active "+k.unit(name)+".service; true")
			return strings.Contains(out, "ended_at") && !strings.HasSuffix(strings.TrimSpace(out), "activating"), nil
		})
		if err != nil {
			k.t.Fatalf("%v\n%s", err, k.on(node, "ls -la /var/lib/requeen/schedules/; systemctl status --no-pager -l "+k.unit(name)+".timer "+k.unit(name)+".service; journalctl -o cat -u "+k.unit(name)+".service; true"))
		}
		if out := k.on(node, "systemctl show -P Result "+k.unit(name)+".service; cat /var/lib/requeen/schedules/*:"+name+"/last"); !strings.Contains(out, "success") || !strings.Contains(out, `"ok":true`) {
			k.t.Errorf("the run of %s ended with %s\n%s", name, out, k.on(node, "journalctl -o cat -u "+k.unit(name)+".service"))
		}
		k.on(node, "rm -r /run/systemd/system/"+k.unit(name)+".timer.d; systemctl daemon-reload")
	}
	k.writersRun()
	k.allBack()
	offsite, nas := k.lists() // whoever is not signed has a problem
	if len(offsite) != 2 || len(nas) != 1 {
		k.t.Fatalf("the timers made %+v in the bucket and %+v on the disk", offsite, nas)
	}
	for _, b := range append(offsite, nas...) {
		if b.Problem != nil || b.Verified != "raft" || b.Node == "m1" {
			k.t.Errorf("a timer made %+v", b)
		}
	}
	k.holdsData(nas[0].ID)
	k.does("backup", "verify", "-repository", "nas", "latest")
	if text := k.on("m2", "cat /run/requeen.prom"); !strings.Contains(text, `requeen_schedule_last_run_success{cluster="`+k.lab.Name()+`",backup="state",node="m2"} 1`) {
		k.t.Errorf("the metrics do not tell of the run:\n%s", text)
	}
}
