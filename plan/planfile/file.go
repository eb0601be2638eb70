package planfile

import (
	"fmt"
	"io"
	"os"

	"github.com/requeen/requeen/internal/atomicfile"
	"github.com/requeen/requeen/plan"
)

// Write puts a plan's document at path with mode 0600, so that at any time
// there is the old file or the whole new one, also after a power cut.
func Write(path string, p *plan.Plan) error {
	document, _, err := Encode(p)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(path, document); err != nil {
		return fmt.Errorf("the plan can't be written: %w", err)
	}
	return nil
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
