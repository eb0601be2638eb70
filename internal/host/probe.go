package host

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

// ProbeOptions are what a probe is told; what is empty is found on the host.
type ProbeOptions struct {
	Service  string // the engine's unit; empty: docker.service
	DataRoot string // as the engine's Info or the configuration says
	Cluster  string // whose run token and runs are told
}

// Facts are a host's own account. Of Host everything is set but Name, Address,
// Target, Looked, Engine, and what only the node certificate tells.
type Facts struct {
	Host           state.Host
	DataRoot       string // under which the swarm directory was looked for
	CertificatePEM []byte // swarm-node.crt, nil when there is none
	KEKVersion     string // of the node key, empty when it has none
	StateFile      []byte // docker-state.json, its first 64 KiB; nil when there is none
}

// Probe looks at the host in one remote command, as root, and changes nothing.
// With an error that is ErrIncomplete (tools are missing) the Facts are what
// could be seen all the same.
func (h *Host) Probe(ctx context.Context, o ProbeOptions) (Facts, error) {
	if o.Cluster != "" {
		if err := checkName("cluster", o.Cluster); err != nil {
			return Facts{}, err
		}
	}
	if o.Service != "" {
		if err := checkUnits(o.Service, ""); err != nil {
			return Facts{}, err
		}
	}
	if err := h.Connect(ctx); err != nil { // before the clock is read
		return Facts{}, err
	}
	before := time.Now()
	text, err := h.Output(ctx, Command{
		Script: mountsScript + listScript + schedulesScript + probeScript,
		Args:   []string{h.pool.stateDir(), o.Service, strings.TrimRight(o.DataRoot, "/"), o.Cluster},
		Root:   true,
	})
	after := time.Now()
	if err != nil {
		return Facts{}, err
	}
	f, missing, err := parseProbe(text, o.Cluster, before, after)
	if err != nil {
		return Facts{}, fmt.Errorf("%s: %w", h.target.Name, err)
	}
	f.Host.HostKey = h.HostKey()
	if len(missing) > 0 {
		return f, h.fail(ErrIncomplete, diag.HostIncomplete,
			fmt.Sprintf("%s has no %s", h.target, strings.Join(missing, ", ")), "")
	}
	return f, nil
}

// parseProbe reads what probe.sh printed between the two times.
func parseProbe(text, cluster string, before, after time.Time) (f Facts, missing []string, err error) {
	v := map[string]string{}
	var holds, asides, dataAsides, recoveries, schedules []string
	for _, line := range strings.Split(text, "\n") {
		key, value, ok := strings.Cut(line, "=")
		switch {
		case !ok || strings.HasPrefix(key, "run"):
		case strings.HasPrefix(key, "recovery"):
			recoveries = append(recoveries, line)
		case strings.HasPrefix(key, "schedule"):
			schedules = append(schedules, line)
		case key == "missing":
			missing = append(missing, value)
		case key == "hold":
			holds = append(holds, value)
		case key == "aside":
			asides = append(asides, value)
		case key == "data_aside":
			dataAsides = append(dataAsides, value)
		case v[key] == "":
			v[key] = value
		}
	}
	if v["end"] != "1" {
		return Facts{}, nil, errCutShort
	}
	f.DataRoot, f.KEKVersion = v["data_root"], v["kek_version"]
	if f.CertificatePEM, err = base64.StdEncoding.DecodeString(v["certificate"]); err != nil {
		return Facts{}, nil, fmt.Errorf("the node certificate: %w", err)
	}
	if len(f.CertificatePEM) == 0 {
		f.CertificatePEM = nil
	}
	if f.StateFile, err = base64.StdEncoding.DecodeString(v["state_file"]); err != nil {
		return Facts{}, nil, fmt.Errorf("docker-state.json: %w", err)
	}
	if len(f.StateFile) == 0 {
		f.StateFile = nil
	}
	clock := unixTime(v["clock"])
	f.Host = state.Host{
		MachineID: v["machine_id"], Hostname: v["hostname"], BootID: v["boot_id"],
		System:    goSystem(v["uname"]),
		ClockSkew: skew(clock, unixTime(v["clock_end"]), before, after),
		Service:   service(v, clock),
		SwarmDir:  swarmDir(v),
	}
	f.Host.Service.Holds = decodeAll(holds)
	f.Host.SetAsides = append(setAsides(asides), parseDataAsides(dataAsides)...)
	f.Host.Recoveries = parseRecoveries(recoveries)
	f.Host.Schedules = parseSchedules(schedules)
	f.Host.RunToken, _ = strconv.ParseUint(v["token"], 10, 64)
	runs, err := ParseRuns(text)
	if err != nil {
		return Facts{}, nil, err
	}
	for _, r := range runs {
		if cluster == "" || r.Cluster == cluster {
			f.Host.Runs = append(f.Host.Runs, r)
		}
	}
	return f, missing, nil
}

// skew is the host's clock minus ours. What of the time between before and
// after the script did not take, the way took, half of it before the script.
func skew(start, end, before, after time.Time) time.Duration {
	if start.IsZero() || end.IsZero() {
		return 0
	}
	way := after.Sub(before) - end.Sub(start)
	way = max(way, 0)
	return start.Sub(before.Add(way / 2)).Round(time.Millisecond)
}

func service(v map[string]string, clock time.Time) state.Service {
	s := state.Service{Unit: v["service"], Socket: v["socket"], ActiveState: v["active_state"], FileState: v["file_state"]}
	exited, err := strconv.ParseInt(v["exited_monotonic"], 10, 64)
	up, err2 := strconv.ParseFloat(v["uptime"], 64)
	if err == nil && err2 == nil && exited > 0 && !clock.IsZero() {
		ago := time.Duration(up*float64(time.Second)) - time.Duration(exited)*time.Microsecond
		s.ExitedAt = clock.Add(-ago).Round(time.Millisecond)
	}
	return s
}

func swarmDir(v map[string]string) state.SwarmDir {
	d := state.SwarmDir{Path: orWord(v["swarm_real"], v["swarm_dir"])}
	number := func(key string) int64 {
		n, _ := strconv.ParseInt(v[key], 10, 64)
		return n
	}
	d.FreeBytes, d.TotalBytes = number("free_bytes"), number("total_bytes")
	d.FreeInode = number("free_inodes")
	if number("total_inodes") == 0 {
		d.FreeInode = 1 << 40 // this file system does not count them
	}
	switch v["swarm"] {
	case "present":
		d.Presence = state.Present
	case "absent":
		d.Presence = state.Absent
	default:
		row, _ := diag.Lookup(diag.DiskUnread)
		d.Problem = &state.Problem{
			Code: diag.DiskUnread, Remedy: row.Remedy,
			Text: fmt.Sprintf("whether %s holds the swarm's state is unknown: %s", v["swarm_dir"], v["swarm_why"]),
		}
	}
	d.CertificateSHA256 = v["certificate_sha256"]
	d.HasKey, d.Locked = v["has_key"] == "1", v["locked"] == "1"
	d.HasRootCA, d.HasRaft = v["has_root_ca"] == "1", v["has_raft"] == "1"
	d.RootCASHA256 = rootDigest(v["root_ca"])
	d.HasStateFile = v["has_state_file"] == "1"
	d.Bytes = number("swarm_bytes")
	d.RaftChangedAt = unixTime(v["raft_changed"])
	d.MountPoint, d.Link = v["mount_point"] == "1", v["swarm_link"]
	return d
}

// rootDigest is the digest of the first certificate in a root CA's file, "" where
// it can't be read.
func rootDigest(coded string) string {
	text, err := base64.StdEncoding.DecodeString(coded)
	if err != nil {
		return ""
	}
	return state.RootCADigest(text)
}

// decodeAll decodes base64 words, sorted, each once; those that can't be decoded
// are left out.
func decodeAll(words []string) []string {
	var list []string
	for _, w := range words {
		if text, err := base64.StdEncoding.DecodeString(w); err == nil && len(text) > 0 {
			list = append(list, string(text))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// setAsides reads "MTIME RAFT BYTES PATH" lines.
func setAsides(lines []string) []state.SetAside {
	var list []state.SetAside
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) != 4 {
			continue
		}
		path, err := base64.StdEncoding.DecodeString(f[3])
		if err != nil {
			continue
		}
		bytes, _ := strconv.ParseInt(f[2], 10, 64)
		list = append(list, state.SetAside{Path: string(path), ChangedAt: unixTime(f[0]), HasRaft: f[1] == "1", Bytes: bytes})
	}
	slices.SortFunc(list, func(a, b state.SetAside) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(list, func(a, b state.SetAside) bool { return a.Path == b.Path })
}

// goSystem turns `uname -sm` into Go's words.
func goSystem(uname string) string {
	system, machine, _ := strings.Cut(uname, " ")
	switch machine {
	case "x86_64":
		machine = "amd64"
	case "aarch64":
		machine = "arm64"
	case "i386", "i486", "i586", "i686":
		machine = "386"
	case "armv6l", "armv7l", "armv8l":
		machine = "arm"
	}
	return strings.ToLower(system) + "/" + machine
}
