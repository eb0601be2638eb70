package apply

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/requeen/requeen/internal/diag"
)

// The files of a journal directory.
const (
	journalName = "journal"
	planName    = "plan.json"
)

// faultPoint is called around each journal write: "before" nothing is written,
// "torn" when half the line is, "written" when all of it is. An error stands
// for one of the disk's.
type faultPoint func(stage, recordType string) error

// syncFile puts a file on the disk; a test that makes a thousand journals need
// not wait for it.
var syncFile = (*os.File).Sync

// journal is an append-only file of records, locked for one process.
type journal struct {
	dir      string
	file     *os.File
	size     int64
	broken   error
	fault    faultPoint
	progress *progress
	forget   func(stop int) []int
}

// openJournal opens or makes the journal of one plan and takes its lock.
func openJournal(root, cluster, digest string, planBytes []byte, forget func(int) []int) (*journal, error) {
	dir := filepath.Join(root, cluster, digestHex(digest))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, journalError(dir, err)
	}
	file, err := os.OpenFile(filepath.Join(dir, journalName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, journalError(dir, err)
	}
	j := &journal{dir: dir, file: file, progress: newProgress(), forget: forget}
	if err := j.prepare(planBytes); err != nil {
		file.Close()
		return nil, err
	}
	return j, nil
}

func (j *journal) prepare(planBytes []byte) error {
	if err := lockFile(j.file); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return &BusyError{Journal: j.dir}
		}
		return journalError(j.dir, err)
	}
	if err := j.replay(); err != nil {
		return err
	}
	if err := keepFile(filepath.Join(j.dir, planName), planBytes); err != nil {
		return journalError(j.dir, err)
	}
	for _, dir := range []string{j.dir, filepath.Dir(j.dir), filepath.Dir(filepath.Dir(j.dir))} {
		if err := syncDir(dir); err != nil {
			return journalError(j.dir, err)
		}
	}
	return nil
}

// lockFile locks a journal for this process. Unfinished holds the lock for a
// moment to see whether anybody does, so one refusal says nothing.
func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	for range 3 {
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			break
		}
		time.Sleep(20 * time.Millisecond)
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	return err
}

// replay reads the records and cuts off a line that a crash left half written.
func (j *journal) replay() error {
	data, err := io.ReadAll(j.file)
	if err != nil {
		return journalError(j.dir, err)
	}
	records, whole, err := parseRecords(data)
	if err != nil {
		return journalError(j.dir, err)
	}
	for _, r := range records {
		j.progress.take(r, j.forget)
	}
	j.size = int64(whole)
	if whole < len(data) {
		if err := j.file.Truncate(j.size); err != nil {
			return journalError(j.dir, err)
		}
	}
	return nil
}

// parseRecords gives the whole lines' records and how many bytes they take.
func parseRecords(data []byte) ([]record, int, error) {
	var records []record
	whole := 0
	for {
		line, _, ended := bytes.Cut(data[whole:], []byte("\n"))
		if !ended {
			return records, whole, nil
		}
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, 0, fmt.Errorf("line %d is damaged: %w", len(records)+1, err)
		}
		records = append(records, r)
		whole += len(line) + 1
	}
}

// append writes one record and returns when it is on the disk. After an error
// the record counts as not written.
func (j *journal) append(r record) error {
	if j.broken != nil {
		return journalError(j.dir, j.broken)
	}
	line, err := json.Marshal(r)
	if err != nil {
		return journalError(j.dir, err)
	}
	line = append(line, '\n')
	if err := j.write(line, r.Type); err != nil {
		if cut := j.file.Truncate(j.size); cut != nil {
			j.broken = errors.Join(err, cut)
		}
		return journalError(j.dir, err)
	}
	j.size += int64(len(line))
	j.progress.take(r, j.forget)
	return nil
}

func (j *journal) write(line []byte, kind string) error {
	if err := j.at("before", kind); err != nil {
		return err
	}
	half := len(line) / 2
	if j.fault == nil {
		half = len(line)
	}
	if _, err := j.file.WriteAt(line[:half], j.size); err != nil {
		return err
	}
	if half < len(line) {
		if err := j.at("torn", kind); err != nil {
			return err
		}
		if _, err := j.file.WriteAt(line[half:], j.size+int64(half)); err != nil {
			return err
		}
	}
	if err := syncFile(j.file); err != nil {
		return err
	}
	return j.at("written", kind)
}

func (j *journal) at(stage, kind string) error {
	if j.fault == nil {
		return nil
	}
	return j.fault(stage, kind)
}

// close gives up the journal's lock.
func (j *journal) close() { j.file.Close() }

// keepFile writes a file as a whole, unless it holds the bytes already.
func keepFile(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".plan-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err = f.Write(data); err == nil {
		err = syncFile(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(syncFile(d), d.Close())
}

func journalError(dir string, err error) error {
	return &RunError{Err: err, Diag: diag.Diagnostic{
		Severity: diag.Error,
		Summary:  "The run's journal can't be read or written",
		Detail:   fmt.Sprintf("%s: %v. Without a journal a cut run could not be finished safely, so nothing further is begun.", dir, err),
		Remedy:   "Make room or mend the directory, or name another with -journal, then run requeen apply again.",
	}}
}
