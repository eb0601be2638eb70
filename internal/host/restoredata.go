package host

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/requeen/requeen/internal/state"
)

// DataRestore is one restore of an application's data on one host. It can be
// repeated, and cut anywhere and repeated, and ends the same. Refusals are of the
// types of a Surgery.
type DataRestore struct {
	ID      string // of the restore, unique for the place and part of file names
	Cluster string // the cluster block's label
	Token   uint64 // the run token

	MachineID string
	// Place is the directory whose content is restored: a volume's mountpoint as the
	// engine tells it, or the declared one.
	Place string
	// Fill leaves a place that holds anything as it is.
	Fill bool
	// Backup and SHA256 say what is restored: the backup's ID, and the digest of the
	// stored object.
	Backup, SHA256 string
	// Bytes and Files are what has to be free, on top of what is there.
	Bytes, Files int64
	// Unused is asked once all is unpacked, right before anything in the place is moved,
	// while the host's lock is held: its error says who uses the place, and ends the
	// restore with nothing moved. The next try goes on from there.
	Unused func(context.Context) error
}

// DataRestored tells what came of a restore.
type DataRestored struct {
	// Before tells that an earlier try has done it.
	Before bool
	// Kept tells that the place holds something, and was left as it is.
	Kept bool
	// Asides are the directories that hold what was in the place, none where it was
	// empty or not there.
	Asides []string
}

func (r DataRestore) validate() error {
	err := errors.Join(checkName("restore ID", r.ID), checkName("cluster", r.Cluster), checkName("backup ID", r.Backup), checkToken(r.Token))
	switch {
	case err != nil:
		return err
	case likeUnpacked(r.ID):
		return fmt.Errorf("host: restore ID %q is like the name of an unpacked directory", r.ID)
	case r.MachineID == "" || strings.ContainsAny(r.MachineID+r.SHA256, "\n\r\x00"):
		return errors.New("host: a restore without a machine ID can't be guarded")
	case r.Unused == nil:
		return errors.New("host: nobody says whether the place is in use")
	case !path.IsAbs(r.Place) || path.Clean(r.Place) != r.Place || path.Dir(r.Place) == r.Place || strings.ContainsAny(r.Place, "\n\r\x00"):
		return fmt.Errorf("host: %q is no place for data", r.Place)
	}
	return nil
}

// likeUnpacked tells whether an ID may be the name of what another restore of the place
// unpacks. That one's ID has two dots: the restore, the kind, and the label, which may
// itself be "new".
func likeUnpacked(id string) bool {
	other, is := strings.CutSuffix(id, ".new")
	return is && strings.Count(other, ".") != 1 || strings.Contains(id, ".part.")
}

// meta is what the host keeps of a restore, beside the user's data and never in them.
func (r DataRestore) meta() string {
	return strings.Join([]string{"id=" + r.ID, "cluster=" + r.Cluster, "machine_id=" + r.MachineID, "place=" + r.Place,
		"backup=" + r.Backup, "object_sha256=" + r.SHA256}, "\n")
}

// RestoreData unpacks a tar archive of the place's content beside the place, as root
// with owners, modes, links, extended attributes and holes, syncs it, sets aside what
// is in the place and puts it there (safety rules 17, 18, 20). open is called once the
// host is found ready, and not at all where an earlier try has unpacked all of it. The
// archive counts as whole when it was read to io.EOF: a reader whose digest does not
// hold gives another error.
func (h *Host) RestoreData(ctx context.Context, r DataRestore, open func(context.Context) (io.ReadCloser, error)) (DataRestored, error) {
	if err := r.validate(); err != nil {
		return DataRestored{}, err
	}
	random := make([]byte, 8)
	_, _ = rand.Read(random)
	attempt := hex.EncodeToString(random)
	fill := "0"
	if r.Fill {
		fill = "1"
	}
	said, asides, err := h.dataCommand(ctx, r, nil, "begin", attempt, fill, strconv.FormatInt(r.Bytes, 10), strconv.FormatInt(r.Files, 10), r.meta())
	if err != nil {
		return DataRestored{}, err
	}
	switch said {
	case "restored":
		return DataRestored{Before: true, Asides: asides}, nil
	case "kept":
		return DataRestored{Kept: true}, nil
	case "unpacked":
		attempt = ""
	default:
		if err := h.unpackData(ctx, r, attempt, open); err != nil {
			return DataRestored{}, err
		}
	}
	said, asides, err = h.finishData(ctx, r, attempt, fill)
	return DataRestored{Kept: said == "kept", Asides: asides}, err
}

// finishData puts what is unpacked into the place, once it is said to be unused.
func (h *Host) finishData(ctx context.Context, r DataRestore, attempt, fill string) (state string, asides []string, err error) {
	inside, lost := context.WithCancel(ctx)
	defer lost()
	answer, answers := io.Pipe()
	defer answers.Close()
	asked := &word{is: "requeen-unused", heard: make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		state, asides, err = h.dataCommandTo(ctx, r, answer, asked, "finish", attempt, fill)
		lost()
		_ = answer.Close() // nobody reads it any more
	}()
	select {
	case <-ended: // nothing was to be moved
		return state, asides, err
	case <-asked.heard:
	}
	used := r.Unused(inside)
	over := inside.Err() != nil // the command is, which says why
	if used == nil {
		_, _ = io.WriteString(answers, "unused\n")
	}
	_ = answers.Close()
	<-ended
	if used != nil && !over {
		return "", nil, used
	}
	return state, asides, err
}

// unpackData sends the archive. Only when all of it was read may it be taken for whole.
func (h *Host) unpackData(ctx context.Context, r DataRestore, attempt string, open func(context.Context) (io.ReadCloser, error)) error {
	archive, err := open(ctx)
	if err != nil {
		return err
	}
	pipe, w := io.Pipe()
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(w, archive)
		_ = w.CloseWithError(err)
		sent <- err
	}()
	_, _, unpacked := h.dataCommand(ctx, r, pipe, "unpack", attempt)
	if unpacked == nil { // tar stops reading at the archive's end, the digest is beyond it
		_, _ = io.Copy(io.Discard, pipe)
	}
	_ = pipe.CloseWithError(errUploadEnded)
	var why error
	select {
	case why = <-sent:
	case <-ctx.Done():
		why = context.Cause(ctx)
	}
	closed := archive.Close()
	switch {
	case why != nil && !errors.Is(why, errUploadEnded):
		return fmt.Errorf("%s: the data can't be sent: %w", h.target.Name, why)
	case unpacked != nil:
		return unpacked
	}
	return errors.Join(why, closed)
}

// parseDataAsides reads the lines of list_data_asides, sorted by path.
func parseDataAsides(lines []string) []state.SetAside {
	var list []state.SetAside
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) != 6 {
			continue
		}
		dir, err := base64.StdEncoding.DecodeString(f[4])
		place, err2 := base64.StdEncoding.DecodeString(f[5])
		if err != nil || err2 != nil {
			continue
		}
		list = append(list, state.SetAside{Path: string(dir), DataOf: string(place), ChangedAt: unixTime(f[0]),
			Unfinished: f[1] != "1", Restore: f[2], Cluster: strings.TrimPrefix(f[3], "-")})
	}
	slices.SortFunc(list, func(a, b state.SetAside) int { return strings.Compare(a.Path, b.Path) })
	return list
}

// RemoveDataAside removes a directory that a restore of data set aside, and with the
// last of them what the host keeps of the restore. What has another name, is a link or
// a mount point, or belongs to a restore that is not over is refused (ErrGuard).
func (h *Host) RemoveDataAside(ctx context.Context, cluster string, token uint64, machineID, restore, dir string) error {
	err := errors.Join(checkName("cluster", cluster), checkToken(token), checkName("restore ID", restore))
	if err != nil {
		return err
	}
	if !path.IsAbs(dir) || path.Clean(dir) != dir || !strings.Contains(path.Base(dir), ".requeen-"+restore) {
		return fmt.Errorf("host: %q is not a directory that a restore set aside", dir)
	}
	return h.refused(h.Run(ctx, Command{
		Script: guardScript + mountsScript + removeDataAsideScript,
		Args:   []string{h.pool.stateDir(), cluster, strconv.FormatUint(token, 10), machineID, restore, dir},
		Root:   true,
	}))
}

func (h *Host) dataCommand(ctx context.Context, r DataRestore, stdin io.Reader, act string, more ...string) (state string, asides []string, err error) {
	return h.dataCommandTo(ctx, r, stdin, io.Discard, act, more...)
}

// dataCommandTo also gives what the command prints to another writer, as it comes.
func (h *Host) dataCommandTo(ctx context.Context, r DataRestore, stdin io.Reader, also io.Writer, act string, more ...string) (state string, asides []string, err error) {
	var out bytes.Buffer
	err = h.Run(ctx, Command{
		Script: guardScript + mountsScript + restoreDataScript,
		Args: append([]string{h.pool.stateDir(), r.ID, r.Cluster, strconv.FormatUint(r.Token, 10), r.MachineID,
			r.Place, act}, more...),
		Stdin: stdin, Stdout: io.MultiWriter(&out, also), Root: true,
	})
	if err != nil {
		return "", nil, h.refused(err)
	}
	for _, line := range strings.Split(out.String(), "\n") { // a login shell's rc files may print before
		key, value, _ := strings.Cut(line, "=")
		switch key {
		case "state":
			state = value
		case "aside":
			if b, err := base64.StdEncoding.DecodeString(value); err == nil {
				asides = append(asides, string(b))
			}
		}
	}
	return state, asides, nil
}
