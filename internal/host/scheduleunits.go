package host

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/requeen/requeen/internal/state"
)

// ScheduleUnits are the service and the timer of a schedule.
type ScheduleUnits struct {
	At           string // HH:MM
	TimeZone     string // of At; "" = the host's
	EverySeconds int64  // where At is empty
	Flags        ScheduleFlags
	// Open lets a run write where the repository is.
	Open ScheduleOpen
}

// ScheduleOpen are the places that a run may write to though a service need not: below
// /home and /root, below what belongs to the system, and in the machine's own /tmp.
type ScheduleOpen struct{ Home, System, Tmp bool }

// serviceText is what a run is. It leaves what the run needs: root, the engine's socket,
// systemd (which asks for CAP_SYS_ADMIN), ssh, and writing to any repository.
const serviceText = `# Of requeen: it is replaced and removed by the plan.
[Unit]
Description=requeen: backup %[1]s of cluster %[2]s
After=network-online.target docker.service
Wants=network-online.target

[Service]
Type=oneshot
User=root
UMask=0077
ExecStart=%[3]s
KillMode=mixed
TimeoutStartSec=12h
TimeoutStopSec=270
NoNewPrivileges=yes
PrivateTmp=%[6]s
ProtectSystem=%[4]s
ProtectHome=%[5]s
ProtectControlGroups=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
`

func (u ScheduleUnits) service(s Schedule, dir string) string {
	system, home, tmp := "full", "read-only", "yes"
	if u.Open.System {
		system = "no"
	}
	if u.Open.Home {
		home = "no"
	}
	if u.Open.Tmp {
		tmp = "no"
	}
	return fmt.Sprintf(serviceText, s.Backup, s.Cluster, u.command(s, dir), system, home, tmp)
}

// command is the line of ExecStart. Nothing secret is in it.
func (u ScheduleUnits) command(s Schedule, dir string) string {
	f := u.Flags
	words := []string{dir + "/files/requeen", "-chdir=" + dir + "/files/config", "backup", "run", s.Backup, "-on=" + f.Node,
		"-given=" + dir + "/files", "-journal=" + dir + "/journal", "-last=" + dir + "/last", fmt.Sprintf("-fresh=%ds", f.FreshSeconds)}
	if len(f.Exported) > 0 {
		words = append(words, "-export="+strings.Join(f.Exported, ","))
	}
	if f.Textfile != "" {
		words = append(words, "-textfile="+f.Textfile)
	}
	for i, w := range words {
		words[i] = unitWord(w)
	}
	// A shell of the system starts the program: where SELinux is enforced, systemd may
	// run nothing itself that lies below /var/lib.
	return `/bin/sh -c 'exec "$$0" "$$@"' ` + strings.Join(words, " ")
}

// unitWord makes s one word of a unit's command, with nothing that systemd expands.
func unitWord(s string) string {
	s = strings.NewReplacer(`%`, `%%`, `$`, `$$`).Replace(s)
	if !strings.ContainsAny(s, " \t\"'\\;") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// timer says when the service is started: at its time of day, made up for when the host
// was down then; or a few seconds after the timer and from then on as often as is said.
func (u ScheduleUnits) timer(s Schedule) string {
	when := fmt.Sprintf("OnActiveSec=5\nOnUnitActiveSec=%d\nAccuracySec=1\n", u.EverySeconds)
	if u.At != "" {
		when = fmt.Sprintf("OnCalendar=%s\nPersistent=true\nRandomizedDelaySec=30\nAccuracySec=1\n", strings.TrimSpace("*-*-* "+u.At+":00 "+u.TimeZone))
	}
	return fmt.Sprintf("# Of requeen: it is replaced and removed by the plan.\n[Unit]\nDescription=requeen: when backup %s of cluster %s is made\n\n[Timer]\n%s\n[Install]\nWantedBy=timers.target\n", s.Backup, s.Cluster, when)
}

// scheduledRun reads what a run left of itself; nil where that can't be read.
func scheduledRun(text string) *state.ScheduledRun {
	run := new(state.ScheduledRun)
	if json.Unmarshal([]byte(text), run) != nil {
		return nil
	}
	return run
}
