package planfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/requeen/requeen/plan"
)

// Write puts a plan's document at path with mode 0600, so that at any time
// there is the old file or the whole new one, also after a power cut.
func Write(path string, p *plan.Plan) error {
	document, _, err := Encode(p)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".requeen-plan-*") // 0600
	if err != nil {
		return fmt.Errorf("the plan can't be written: %w", err)
	}
	if err := fill(tmp, document); err != nil {
		return fmt.Errorf("the plan can't be written: %w", errors.Join(err, os.Remove(tmp.Name())))
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("the plan can't be written: %w", errors.Join(err, os.Remove(tmp.Name())))
	}
	return syncDir(dir)
}

// fill writes, syncs and closes a file.
func fill(f *os.File, document []byte) error {
	_, err := f.Write(document)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes the rename last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Read reads and verifies the document at path.
func Read(path string) (p *plan.Plan, digest string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	document, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, "", err
	}
	p, digest, err = Decode(document)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	return p, digest, nil
}
