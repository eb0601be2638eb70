package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
)

// setting is one declared setting beside the swarm's.
type setting struct {
	name       string // in the configuration
	want, have string
	flag       string // of docker swarm update; empty where it has none
}

// clusterDifferences compares auto-lock, the settings, and what a swarm keeps
// from its making.
func (w *world) clusterDifferences() []Unmet {
	c, s := w.cfg.Cluster, w.st.Swarm
	var list []Unmet
	if c.Autolock != nil && *c.Autolock != s.Autolock {
		list = append(list, Unmet{Code: diag.SwarmDiffers, Goal: goalAutolock(*c.Autolock),
			Reason: fmt.Sprintf("cluster.autolock is declared %t, and auto-lock is %s in the swarm.", *c.Autolock, onOff(s.Autolock)),
			Remedy: onManager(fmt.Sprintf("docker swarm update --autolock=%t", *c.Autolock)) + autolockNote(*c.Autolock)})
	}
	if s.Settings == nil {
		return list
	}
	if u, differs := settingsUnmet(w.settings()); differs {
		list = append(list, u)
	}
	return append(list, w.made()...)
}

func goalAutolock(on bool) string { return "autolock is " + onOff(on) }

const goalSettings = "the swarm has the declared settings"

func autolockNote(on bool) string {
	if on {
		return " (it prints the unlock key: keep it where the backups' identity is kept)"
	}
	return ""
}

// settings are those declared, in the order of the language.
func (w *world) settings() []setting {
	want, have := w.cfg.Cluster.Settings, w.st.Swarm.Settings
	var list []setting
	list = compare(list, "task_history_limit", want.TaskHistoryLimit, have.TaskHistoryLimit, "--task-history-limit")
	list = compare(list, "cert_expiry", want.CertExpiry, have.CertExpiry, "--cert-expiry")
	list = compare(list, "snapshot_interval", want.SnapshotInterval, have.SnapshotInterval, "--snapshot-interval")
	list = compare(list, "log_entries_for_slow_followers", want.LogEntriesForSlowFollowers, have.LogEntriesForSlowFollowers, "")
	list = compare(list, "heartbeat_tick", want.HeartbeatTick, have.HeartbeatTick, "")
	list = compare(list, "election_tick", want.ElectionTick, have.ElectionTick, "")
	return compare(list, "dispatcher_heartbeat", want.DispatcherHeartbeat, have.DispatcherHeartbeat, "--dispatcher-heartbeat")
}

// compare adds a setting that is declared otherwise than the swarm has it.
func compare[T comparable](list []setting, name string, want *T, have T, flag string) []setting {
	if want == nil || *want == have {
		return list
	}
	return append(list, setting{name, show(*want), show(have), flag})
}

func show(v any) string {
	if d, ok := v.(time.Duration); ok {
		text := d.String() // 24h0m0s
		for _, zero := range []string{"m0s", "h0m"} {
			if strings.HasSuffix(text, zero) {
				text = text[:len(text)-2]
			}
		}
		return text
	}
	return fmt.Sprint(v)
}

func settingsUnmet(list []setting) (Unmet, bool) {
	if len(list) == 0 {
		return Unmet{}, false
	}
	var parts, flags, none []string
	for _, s := range list {
		parts = append(parts, fmt.Sprintf("%s is %s, declared %s", s.name, s.have, s.want))
		if s.flag == "" {
			none = append(none, s.name)
			continue
		}
		flags = append(flags, s.flag+" "+s.want)
	}
	var remedies []string
	if len(flags) > 0 {
		remedies = append(remedies, onManager("docker swarm update "+strings.Join(flags, " ")))
	}
	if len(none) > 0 {
		remedies = append(remedies, fmt.Sprintf("docker's command has no flag for %s: POST /swarm/update of the engine's API sets it", listing(none)))
	}
	return Unmet{Code: diag.SwarmDiffers, Goal: goalSettings,
		Reason: sentence("In the swarm " + strings.Join(parts, "; ")),
		Remedy: strings.Join(remedies, "; ")}, true
}

// made compares what is fixed when a swarm is made.
func (w *world) made() []Unmet {
	c, s := w.cfg.Cluster, w.st.Swarm.Settings
	var parts []string
	add := func(name, have, want string) {
		parts = append(parts, fmt.Sprintf("%s is %s, declared %s", name, have, want))
	}
	if c.DataPathPort != 0 && s.DataPathPort != 0 && c.DataPathPort != s.DataPathPort {
		add("data_path_port", fmt.Sprint(s.DataPathPort), fmt.Sprint(c.DataPathPort))
	}
	if len(c.DefaultAddrPool) > 0 && len(s.DefaultAddrPool) > 0 && !slices.Equal(c.DefaultAddrPool, s.DefaultAddrPool) {
		add("default_addr_pool", strings.Join(s.DefaultAddrPool, ", "), strings.Join(c.DefaultAddrPool, ", "))
	}
	if c.DefaultAddrPoolMaskLength != 0 && s.DefaultAddrPoolMaskLength != 0 && c.DefaultAddrPoolMaskLength != s.DefaultAddrPoolMaskLength {
		add("default_addr_pool_mask_length", fmt.Sprint(s.DefaultAddrPoolMaskLength), fmt.Sprint(c.DefaultAddrPoolMaskLength))
	}
	if len(parts) == 0 {
		return nil
	}
	return []Unmet{{Code: diag.SwarmDiffers, Goal: "the swarm was made as declared",
		Reason: sentence("In the swarm "+strings.Join(parts, "; ")) + " An engine fixes it when the swarm is made.",
		Remedy: "Correct the cluster block; only a new swarm could have it otherwise."}}
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
