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
	DataSeconds  int64  // that the backup's data may take
	Flags        ScheduleFlags
	// Open lets a run write where the repository is.
	Open ScheduleOpen
}

// ScheduleOpen says what of the machine is open to a run though a service need not have
// it: to write below /home and /root, and below what belongs to the system, and to see
// the machine's own /tmp. Commands of the backup on the host need whatever they need
// where nobody confines them.
type ScheduleOpen struct{ Home, System, Tmp, Commands bool }

// longestRun is how many seconds a run may take beside what the data of its backup may.
const longestRun = 12 * 3600

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
TimeoutStartSec=%[5]d
TimeoutStopSec=270
%[4]s`

// confinedText is what a run is kept from where no command of the configuration runs in
// it beside the hooks.
const confinedText = `NoNewPrivileges=yes
PrivateTmp=%[3]s
ProtectSystem=%[1]s
ProtectHome=%[2]s
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
	confined := fmt.Sprintf(confinedText, system, home, tmp)
	if u.Open.Commands {
		confined = "# Not confined: a command before or after the backup's data runs in it, as it does by hand.\n"
	}
	return fmt.Sprintf(serviceText, s.Backup, s.Cluster, u.command(s, dir), confined, longestRun+u.DataSeconds)
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
