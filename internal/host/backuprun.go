package host

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// BackupRun is one detached backup: what it is for, what the host must be like,
// and what to stop and copy.
type BackupRun struct {
	ID         string // the backup's ID
	Cluster    string // the cluster block's label
	Backup     string // the backup block's label
	Repository string // the repository block's label
	SwarmID    string
	NodeID     string

	// Of the host as it was planned for; checked in the shell that acts.
	MachineID         string
	CertificateSHA256 string // hex, of swarm-node.crt's bytes

	Service  string // the engine's unit
	Socket   string // its socket unit, empty when there is none
	SwarmDir string
	Token    uint64
	DownMax  time.Duration // the rescue timer's, from just before the stop

	Autolocked   bool
	SealedKey    []byte // the unlock key, encrypted; kept with the run until it is removed
	UnlockKey    []byte // needed with Autolocked; on standard input and in memory only
	EngineSocket string // where the helper unlocks; empty: /run/docker.sock
}

// EngineStart is what StartEngine checks and starts.
type EngineStart struct {
	MachineID string
	Service   string
	Socket    string // empty when there is none
	Cluster   string
	Token     uint64

	// The node certificate that the engine must have, hex SHA-256, and where;
	// both empty: any engine of the machine is started.
	CertificateSHA256 string
	SwarmDir          string

	// Restart stops an engine that runs before: one that has forgotten its swarm
	// remembers it only when it starts.
	Restart bool
}

var (
	plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)
	unitName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:_.@\\-]{0,127}\.(service|socket)$`)
)

func checkName(what, name string) error {
	if !plainName.MatchString(name) {
		return fmt.Errorf("host: %s %q can't be used as a file's name", what, name)
	}
	return nil
}

func checkUnits(service, socket string) error {
	if !unitName.MatchString(service) || socket != "" && !unitName.MatchString(socket) {
		return fmt.Errorf("host: %q and %q are not a systemd service and socket", service, socket)
	}
	return nil
}

func checkToken(token uint64) error {
	if token > math.MaxInt64 {
		return fmt.Errorf("host: run token %d is out of a shell's range", token)
	}
	return nil
}

func (b *BackupRun) validate() error {
	err := errors.Join(checkName("backup ID", b.ID), checkName("cluster", b.Cluster),
		checkUnits(b.Service, b.Socket), checkToken(b.Token))
	if err != nil {
		return err
	}
	for what, s := range map[string]string{
		"backup": b.Backup, "repository": b.Repository, "swarm ID": b.SwarmID, "node ID": b.NodeID,
		"machine ID": b.MachineID, "certificate digest": b.CertificateSHA256,
		"swarm directory": b.SwarmDir, "engine socket": b.EngineSocket,
	} {
		if strings.ContainsAny(s, "\n\r\x00") {
			return fmt.Errorf("host: %s %q has a line break", what, s)
		}
	}
	switch {
	case b.MachineID == "" || b.CertificateSHA256 == "":
		return errors.New("host: a backup run without machine ID and certificate digest can't be guarded")
	case !path.IsAbs(b.SwarmDir) || path.Clean(b.SwarmDir) == "/":
		return fmt.Errorf("host: %q is not a swarm directory", b.SwarmDir)
	case b.DownMax < 30*time.Second:
		return fmt.Errorf("host: down_max is %v, the least is 30s", b.DownMax)
	case b.Autolocked && len(bytes.TrimSpace(b.UnlockKey)) == 0:
		return errors.New("host: the swarm is auto-locked and there is no unlock key for the run")
	case bytes.ContainsAny(bytes.TrimSpace(b.UnlockKey), "\n\r\x00"):
		return errors.New("host: the unlock key has a line break")
	}
	return nil
}

// meta is the run's file of that name, which begin.sh completes.
func (b *BackupRun) meta(helper string) string {
	autolocked := "0"
	if b.Autolocked {
		autolocked = "1"
	}
	var s strings.Builder
	for _, kv := range [][2]string{
		{"id", b.ID}, {"cluster", b.Cluster}, {"backup", b.Backup}, {"repository", b.Repository},
		{"swarm_id", b.SwarmID}, {"node_id", b.NodeID}, {"machine_id", b.MachineID},
		{"certificate_sha256", b.CertificateSHA256}, {"service", b.Service}, {"socket", b.Socket},
		{"swarm_dir", path.Clean(b.SwarmDir)}, {"token", strconv.FormatUint(b.Token, 10)},
		{"down_max", strconv.Itoa(int(b.DownMax / time.Second))}, {"autolocked", autolocked},
		{"helper", helper}, {"engine_socket", orWord(b.EngineSocket, "/run/docker.sock")},
	} {
		s.WriteString(kv[0] + "=" + kv[1] + "\n")
	}
	return strings.TrimSuffix(s.String(), "\n")
}

// BeginBackup hands the run over to the host: one remote command checks the
// machine, the node certificate, the token, the room and that no other run is
// under way, writes the run's directory, arms the rescue timer and starts the
// detached unit. When it returns nil the host goes on by itself. Called again
// for the same run it finishes what is missing and doubles nothing; a run that
// ended without having stopped anything is begun anew. Its refusals are
// ErrGuard, ErrToken, ErrRunInFlight, ErrNoRoom and ErrIncomplete.
func (h *Host) BeginBackup(ctx context.Context, b BackupRun) error {
	if err := b.validate(); err != nil {
		return err
	}
	helper := ""
	if b.Autolocked {
		var err error
		if helper, err = h.EnsureHelper(ctx); err != nil {
			return err
		}
	}
	sealed := "-\n"
	if len(b.SealedKey) > 0 {
		sealed = base64.StdEncoding.EncodeToString(b.SealedKey) + "\n"
	}
	stdin := io.MultiReader(strings.NewReader(sealed), bytes.NewReader(bytes.TrimSpace(b.UnlockKey)))
	return h.refused(h.Run(ctx, Command{
		Script: guardScript + beginScript,
		Args:   []string{h.pool.stateDir(), h.pool.runDir(), b.ID, b.meta(helper), unitScript},
		Stdin:  stdin, Root: true,
	}))
}

// RemoveRun removes a run with its copy, timer and FIFO; one that is not there
// is removed. It refuses while the unit is at work (ErrUnitBusy) and while the
// run has the engine stopped (ErrGuard).
func (h *Host) RemoveRun(ctx context.Context, id string, token uint64) error {
	if err := errors.Join(checkName("backup ID", id), checkToken(token)); err != nil {
		return err
	}
	return h.refused(h.Run(ctx, Command{
		Script: guardScript + removeScript,
		Args:   []string{h.pool.stateDir(), h.pool.runDir(), id, strconv.FormatUint(token, 10)},
		Root:   true,
	}))
}

// StartEngine starts an engine that is stopped, by a cut run or whatever else,
// and waits until it is active; one that is active already is left alone, but for
// e.Restart. It
// refuses while a run is at work (ErrRunInFlight), and where a recovery holds the
// engine (ErrHeld).
func (h *Host) StartEngine(ctx context.Context, e EngineStart) error {
	err := errors.Join(checkName("cluster", e.Cluster), checkUnits(e.Service, e.Socket), checkToken(e.Token))
	if err != nil {
		return err
	}
	restart := ""
	if e.Restart {
		restart = "restart"
	}
	return h.refused(h.Run(ctx, Command{
		Script: guardScript + mountsScript + surgeryScript + startScript,
		Args: []string{h.pool.stateDir(), e.MachineID, e.Cluster, strconv.FormatUint(e.Token, 10),
			e.Service, e.Socket, e.CertificateSHA256, e.SwarmDir, restart},
		Root: true,
	}))
}

// OpenCopy streams a run's copy of the swarm directory as a tar archive whose
// names begin with "swarm/". The error of Close says whether it came whole; to
// close it before its end is to give it up.
func (h *Host) OpenCopy(ctx context.Context, id string) (io.ReadCloser, error) {
	if err := checkName("backup ID", id); err != nil {
		return nil, err
	}
	return h.openStream(ctx, Command{Script: openScript, Args: []string{h.pool.stateDir() + "/runs/" + id}, Root: true})
}

const openScript = `cd "$1/copy" && [ -d swarm ] || { echo "requeen: $1 holds no copy" >&2; exit 101; }
xattrs=
case $(tar --help 2>/dev/null) in *--xattrs*) xattrs=--xattrs ;; esac
exec tar --sparse --numeric-owner $xattrs -cf - swarm`

// ReadToken gives the highest run token that the host has seen for a cluster, 0
// when none.
func (h *Host) ReadToken(ctx context.Context, cluster string) (uint64, error) {
	if err := checkName("cluster", cluster); err != nil {
		return 0, err
	}
	out, err := h.Output(ctx, Command{
		Script: `[ ! -e "$1" ] || cat "$1"`, Args: []string{h.pool.stateDir() + "/tokens/" + cluster}, Root: true,
	})
	if err != nil {
		return 0, err
	}
	text := lastLine(out)
	if text == "" {
		return 0, nil
	}
	token, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: the run token of cluster %s is unreadable: %q", h.target.Name, cluster, text)
	}
	return token, nil
}
