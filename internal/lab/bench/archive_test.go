package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Two machines have to archive the same bytes.
func TestMixedDataIsTheSame(t *testing.T) {
	const size = 2_000_000
	var sums [2]string
	for i := range sums {
		dir := t.TempDir()
		if err := fillDirectory(dir, size); err != nil {
			t.Fatal(err)
		}
		content, sum := int64(0), sha256.New()
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if !strings.Contains(path, "/sparse/") { // which has holes
				content += int64(len(data))
			}
			rel, _ := filepath.Rel(dir, path)
			fmt.Fprintf(sum, "%s %d %x\n", rel, len(data), sha256.Sum256(data))
			return err
		})
		if err != nil || content != size*98/100 {
			t.Errorf("%d bytes beside the sparse file's: %v", content, err)
		}
		sums[i] = fmt.Sprintf("%x", sum.Sum(nil))
	}
	if sums[0] != sums[1] {
		t.Error("the directory is another one each time")
	}
	shares := 0
	for _, kind := range mixed {
		shares += kind.share
	}
	if shares != 100 {
		t.Errorf("the shares are %d of a hundred", shares)
	}
}

func TestPipeline(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out")
	p, err := pipeline(t.Context(), []string{"WORD=joined"}, []string{"sh", "-c", "echo $WORD; head -c 300000 /dev/zero"},
		[]string{"cat"}, []string{"sh", "-c", "cat > " + file})
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(file); len(data) != 300007 || !strings.HasPrefix(string(data), "joined\n") {
		t.Errorf("%d bytes came through", len(data))
	}
	if p.took <= 0 || len(p.peaks) != 3 {
		t.Errorf("%+v", p)
	}
	if _, err := pipeline(t.Context(), nil, []string{"echo", "x"}, []string{"sh", "-c", "echo broken >&2; exit 3"}); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("a command that fails: %v", err)
	}
	if _, err := pipeline(t.Context(), nil, []string{"sleep", "60"}, []string{"no such command"}); err == nil {
		t.Error("a command that is not there ran")
	}
}

// The peak is the command's own, not that of this program before it became the command.
func TestPeakOfAChild(t *testing.T) {
	p, err := pipeline(t.Context(), nil, []string{"sleep", "0.2"})
	if err != nil {
		t.Fatal(err)
	}
	if own := ownPeak(); p.peaks[0] == 0 || p.peaks[0] >= own {
		t.Errorf("sleep took %d bytes, and this program %d", p.peaks[0], own)
	}
}

func TestBoundFromBelow(t *testing.T) {
	b := &Bound{Min: 0.9}
	if !b.holds(0.9) || !b.holds(3) || b.holds(0.89) || b.String() != "at least 0.90" {
		t.Errorf("%s: %v %v %v", b, b.holds(0.9), b.holds(3), b.holds(0.89))
	}
}
