package host

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // the scripts
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/requeen/requeen/internal/state"
)

var (
	//go:embed schedules.sh
	schedulesScript string
	//go:embed schedule_put.sh
	schedulePutScript string
	//go:embed schedule_take.sh
	scheduleTakeScript string
)

// Schedule is what makes a backup on a host by itself. What of it is secret goes to
// the host on standard input, into a directory of root's alone.
type Schedule struct {
	Cluster, Backup string // the labels of the blocks
	MachineID       string
	Token           uint64
	Declared        string            // the plan's digest of what is declared
	Version         string            // of the program
	Config          map[string][]byte // the configuration's files, by their names
	Values          map[string][]byte // by the name of the variable or flag
	Keep            []string          // names of values that stay as they are there
	SignKeys        map[string][]byte // by the repository's label
	Units           ScheduleUnits
}

// ScheduleFlags are the flags of `requeen backup run` by which a run finds what was put
// beside it.
type ScheduleFlags struct {
	Node         string // that the host is
	FreshSeconds int64
	Exported     []string
	Textfile     string
}

var scheduleLabel = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// ScheduleName is what the directory and the units of a schedule are called by. A colon
// is in no label.
func ScheduleName(cluster, backup string) string { return cluster + ":" + backup }

func (s Schedule) name() string { return ScheduleName(s.Cluster, s.Backup) }

func (s Schedule) validate() error {
	for _, label := range append(slices.Collect(maps.Keys(s.SignKeys)), s.Cluster, s.Backup, s.Units.Flags.Node) {
		if !scheduleLabel.MatchString(label) {
			return fmt.Errorf("host: %q can't be part of a unit's or a file's name", label)
		}
	}
	for name := range s.Config {
		if !path.IsAbs(name) && path.Clean(name) == name && name != ".." && !strings.HasPrefix(name, "../") && !strings.ContainsAny(name, "\n\r\x00\\") {
			continue
		}
		return fmt.Errorf("host: a configuration file called %q can't be put on a host", name)
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(s.Values)), s.Keep) {
		if !scheduleLabel.MatchString(name) {
			return fmt.Errorf("host: %q can't be the name of a value", name)
		}
	}
	return checkToken(s.Token)
}

// Print tells a value apart without telling it: a salt, and the value's HMAC under it.
// A salt of its own keeps a print from being looked up.
func Print(value []byte) (string, error) {
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	return printWith(salt, value), nil
}

func printWith(salt, value []byte) string {
	mac := hmac.New(sha256.New, salt)
	mac.Write(value)
	return hex.EncodeToString(salt) + " " + hex.EncodeToString(mac.Sum(nil))
}

// Printed tells whether a print is the value's.
func Printed(print string, value []byte) bool {
	text, _, _ := strings.Cut(print, " ")
	salt, err := hex.DecodeString(text)
	return err == nil && len(salt) > 0 && hmac.Equal([]byte(printWith(salt, value)), []byte(print))
}

// SignKeyValue is what the sign_key of a repository is called among the prints. No name
// of another value begins so.
func SignKeyValue(repository string) string { return "sign_key." + repository }

// archive is the tar stream of what is put there; its last file tells that it is whole.
func (s Schedule) archive(dir string) ([]byte, error) {
	files := map[string][]byte{"unit.service": []byte(s.Units.service(s, dir)), "unit.timer": []byte(s.Units.timer(s)),
		"meta": fmt.Appendf(nil, "declared=%s\nversion=%s\n", s.Declared, s.Version)}
	for name, text := range s.Config {
		files["config/"+name] = text
	}
	var prints strings.Builder
	printed := func(name string, value []byte) error {
		p, err := Print(value)
		prints.WriteString(name + " " + p + "\n")
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(s.Values)) {
		files["values/"+name] = s.Values[name]
		if err := printed(name, s.Values[name]); err != nil {
			return nil, err
		}
	}
	for _, repository := range slices.Sorted(maps.Keys(s.SignKeys)) {
		files["keys/"+repository] = s.SignKeys[repository]
		if err := printed(SignKeyValue(repository), s.SignKeys[repository]); err != nil {
			return nil, err
		}
	}
	paths := slices.Sorted(maps.Keys(files))
	files["prints"] = []byte(prints.String())
	files["paths"] = []byte(strings.Join(paths, "\n") + "\n")
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	for _, d := range directories(paths) {
		if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: d + "/", Mode: 0o700}); err != nil {
			return nil, err
		}
	}
	for _, name := range append(slices.Sorted(maps.Keys(files)), "complete") {
		if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(files[name]))}); err != nil {
			return nil, err
		}
		if _, err := t.Write(files[name]); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), t.Close()
}

// directories are those of the paths, and those that a run expects, each before what is
// in it.
func directories(paths []string) []string {
	seen := map[string]bool{"config": true, "values": true, "keys": true}
	for _, p := range paths {
		for d := path.Dir(p); d != "."; d = path.Dir(d) {
			seen[d] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// PutSchedule puts a schedule on the host, with this program, and starts its timer. One
// that is there is replaced. It may be called again.
func (h *Host) PutSchedule(ctx context.Context, s Schedule) error {
	if err := s.validate(); err != nil {
		return err
	}
	helper, err := h.EnsureHelper(ctx)
	if err != nil {
		return err
	}
	archive, err := s.archive(h.pool.stateDir() + "/schedules/" + s.name())
	if err != nil {
		return err
	}
	args := []string{h.pool.stateDir(), s.name(), s.Cluster, strconv.FormatUint(s.Token, 10), s.MachineID, helper}
	return h.refused(h.Run(ctx, Command{Script: guardScript + schedulePutScript, Args: append(args, s.Keep...), Stdin: bytes.NewReader(archive), Root: true}))
}

// TakeSchedule takes a schedule away. A run that is under way is asked to end, which
// brings back first what it has stopped. It may be called again.
func (h *Host) TakeSchedule(ctx context.Context, cluster, backup, machineID string, token uint64) error {
	if !scheduleLabel.MatchString(cluster) || !scheduleLabel.MatchString(backup) {
		return errors.New("host: a schedule without the labels of its blocks")
	}
	args := []string{h.pool.stateDir(), ScheduleName(cluster, backup), cluster, strconv.FormatUint(token, 10), machineID}
	return h.refused(h.Run(ctx, Command{Script: guardScript + scheduleTakeScript, Args: args, Root: true}))
}

// parseSchedules reads the lines of list_schedules.
func parseSchedules(lines []string) []state.HostSchedule {
	var list []state.HostSchedule
	for _, line := range lines {
		key, value, _ := strings.Cut(line, "=")
		if key == "schedule" {
			cluster, backup, _ := strings.Cut(value, ":")
			list = append(list, state.HostSchedule{Cluster: cluster, Backup: backup})
			continue
		}
		if len(list) == 0 {
			continue
		}
		s := &list[len(list)-1]
		switch strings.TrimPrefix(key, "schedule.") {
		case "declared":
			s.Declared = value
		case "version":
			s.Version = value
		case "damage":
			s.Damage = strings.TrimSpace(value)
		case "timer":
			s.Timer = value
		case "service":
			s.Running = value == "activating" || value == "active" || value == "deactivating"
		case "last":
			s.Last = scheduledRun(value)
		case "print":
			name, print, _ := strings.Cut(value, " ")
			if s.Prints == nil {
				s.Prints = map[string]string{}
			}
			s.Prints[name] = print
		}
	}
	slices.SortFunc(list, func(a, b state.HostSchedule) int {
		return strings.Compare(ScheduleName(a.Cluster, a.Backup), ScheduleName(b.Cluster, b.Backup))
	})
	return list
}
