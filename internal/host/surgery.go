package host

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// Surgery is one recovery on one host: what it is called, and what the host must
// be like. Every command of it checks that in the shell that acts. All of them
// can be repeated, and cut anywhere and repeated, and end the same.
//
// Refusals are of type *Error: ErrGuard (the host is not as it was planned for,
// or the command's turn has not come), ErrToken, ErrRunInFlight (a backup run is
// at work), ErrHeld (another recovery holds the engine), ErrNoRoom and
// ErrIncomplete.
type Surgery struct {
	ID      string // the recovery's, the same on all its hosts; part of file names
	Cluster string // the cluster block's label
	Token   uint64 // the run token

	MachineID string
	// CertificateSHA256 is of swarm-node.crt's bytes, in hex. Empty: the host
	// held no node certificate when it was planned for, and must hold none.
	CertificateSHA256 string

	Service  string // the engine's unit
	Socket   string // its socket unit, empty when there is none
	SwarmDir string // the real path, as the probe tells it; it need not exist
}

func (s Surgery) validate() error {
	err := errors.Join(checkName("recovery ID", s.ID), checkName("cluster", s.Cluster),
		checkUnits(s.Service, s.Socket), checkToken(s.Token), checkSwarmDir(s.SwarmDir))
	switch {
	case err != nil:
		return err
	case strings.HasSuffix(s.ID, ".new") || strings.Contains(s.ID, ".part."):
		return fmt.Errorf("host: recovery ID %q is like the name of a staged directory", s.ID)
	case s.MachineID == "":
		return errors.New("host: a recovery without a machine ID can't be guarded")
	case strings.ContainsAny(s.MachineID+s.CertificateSHA256, "\n\r\x00"):
		return fmt.Errorf("host: machine ID %q or certificate digest %q has a line break", s.MachineID, s.CertificateSHA256)
	}
	return nil
}

func checkSwarmDir(dir string) error {
	if !path.IsAbs(dir) || path.Clean(dir) == "/" || strings.ContainsAny(dir, "\n\r\x00") {
		return fmt.Errorf("host: %q is not a swarm directory", dir)
	}
	return nil
}

// command is a script with all that it shares with the others.
func (h *Host) surgeryCommand(s Surgery, script string, more ...string) Command {
	return Command{
		Script: guardScript + mountsScript + surgeryScript + script,
		Args: append([]string{h.pool.stateDir(), s.ID, s.Cluster, strconv.FormatUint(s.Token, 10),
			s.MachineID, s.CertificateSHA256, s.Service, s.Socket, path.Clean(s.SwarmDir)}, more...),
		Root: true,
	}
}

// operate runs a script and gives the value that it printed for key.
func (h *Host) operate(ctx context.Context, s Surgery, key, script string, stdin io.Reader, more ...string) (string, error) {
	if err := s.validate(); err != nil {
		return "", err
	}
	c := h.surgeryCommand(s, script, more...)
	c.Stdin = stdin
	out, err := h.Output(ctx, c)
	if err != nil {
		return "", h.refused(err)
	}
	for _, line := range strings.Split(out, "\n") { // a login shell's rc files may print before
		if value, ok := strings.CutPrefix(line, key+"="); ok {
			return value, nil
		}
	}
	return "", nil
}

// Hold stops the engine and its socket and keeps them from starting, whatever
// tries to start them, until Lift; it outlasts reboots and the end of this
// process (safety rule 7). An engine that does not stop in two minutes is killed.
// The rescue timer of a backup run that died is disarmed. A recovery that was
// lifted on the host is over there and can't hold it again: ErrGuard.
func (h *Host) Hold(ctx context.Context, s Surgery) error {
	_, err := h.operate(ctx, s, "", holdScript, nil)
	return err
}

// Fence holds the host and moves docker-state.json and raft/ into a set-aside
// directory, with a copy of the certificates, which also stay in their place.
// aside is its path, empty when the host held nothing.
func (h *Host) Fence(ctx context.Context, s Surgery) (aside string, err error) {
	return h.asideOf(h.operate(ctx, s, "aside", fenceScript, nil))
}

// Swap puts what was staged into the place of the swarm directory, and that into
// a set-aside directory (safety rule 18). It needs the host held and the staged
// directory whole. aside is empty when the host held nothing. After a nil error
// there is no docker-state.json in its place: the engine will start inactive.
func (h *Host) Swap(ctx context.Context, s Surgery) (aside string, err error) {
	return h.asideOf(h.operate(ctx, s, "aside", swapScript, nil))
}

func (h *Host) asideOf(value string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	b, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return "", fmt.Errorf("%s: the set-aside's path is unreadable: %w", h.target.Name, err)
	}
	return string(b), nil
}

// Lift lets the engine go, starts it and waits until it is active. It refuses
// between the halves of a Fence or Swap that was cut. A host that was lifted and
// whose engine is active is left alone.
func (h *Host) Lift(ctx context.Context, s Surgery) error {
	_, err := h.operate(ctx, s, "", liftScript, nil)
	return err
}

// ReplaceNodeKey writes certificates/swarm-node.key of a held host (safety rule
// 2). The certificates with the key that was there are copied to the set-aside
// directory before, once. key is on standard input only.
func (h *Host) ReplaceNodeKey(ctx context.Context, s Surgery, key []byte) error {
	if len(key) == 0 || s.CertificateSHA256 == "" {
		return errors.New("host: a node key needs its certificate, and can't be empty")
	}
	_, err := h.operate(ctx, s, "", nodeKeyScript, bytes.NewReader(key), strconv.Itoa(len(key)))
	return err
}

// SetCertificatesAside moves the certificates of a held host into the set-aside
// directory: the host joins as a new node then. It is for a host whose node ID is
// another's now, or is in the swarm no longer (safety rules 3, 12).
func (h *Host) SetCertificatesAside(ctx context.Context, s Surgery) error {
	_, err := h.operate(ctx, s, "", certificatesAsideScript, nil)
	return err
}

// AsideRemoval names a directory to remove and what the host must be like.
type AsideRemoval struct {
	Cluster   string
	Token     uint64
	MachineID string
	SwarmDir  string // the real path
	Path      string // as Fence, Swap or a probe told it
}

// RemoveAside removes a directory that a recovery set aside or staged, and with
// the last of them the recovery's directory on the host. What has another name,
// is a link or a mount point, or belongs to a recovery that still holds the host
// is refused (ErrGuard, ErrHeld). One that is not there is removed.
func (h *Host) RemoveAside(ctx context.Context, r AsideRemoval) error {
	err := errors.Join(checkName("cluster", r.Cluster), checkToken(r.Token), checkSwarmDir(r.SwarmDir), checkSwarmDir(r.Path))
	if err != nil {
		return err
	}
	if !strings.Contains(path.Base(r.Path), ".requeen-") || path.Clean(r.Path) != r.Path {
		return fmt.Errorf("host: %q is not a directory that a recovery set aside", r.Path)
	}
	return h.refused(h.Run(ctx, Command{
		Script: guardScript + mountsScript + removeAsideScript,
		Args: []string{h.pool.stateDir(), r.Cluster, strconv.FormatUint(r.Token, 10), r.MachineID,
			path.Clean(r.SwarmDir), r.Path},
		Root: true,
	}))
}

// OpenHeld streams the swarm directory of a held host as it lies there, as a tar
// archive whose names begin with "swarm/". The error of Close says whether it
// came whole, and that nothing started the engine meanwhile (ErrGuard).
func (h *Host) OpenHeld(ctx context.Context, s Surgery) (io.ReadCloser, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	return h.openStream(ctx, h.surgeryCommand(s, readHeldScript))
}

// OpenLive streams certificates, snapshots and raft log, in this order, of a
// swarm directory that an engine may be using; it changes and guards nothing, and
// is for reading how far the log goes, not for a backup. Names begin with
// "swarm/". The error of Close is ErrChanged where the certificates changed
// meanwhile, with which the log can be encrypted: try again.
func (h *Host) OpenLive(ctx context.Context, swarmDir string) (io.ReadCloser, error) {
	if err := checkSwarmDir(swarmDir); err != nil {
		return nil, err
	}
	return h.openStream(ctx, Command{Script: guardScript + readLiveScript, Args: []string{swarmDir}, Root: true})
}
