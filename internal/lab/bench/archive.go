package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

const (
	archiveSize  = 2_000_000_000
	quickSize    = 256_000_000
	archiveLimit = 100_000_000 // bytes of memory that requeen may take, whatever it archives
)

// The ways to archive a directory, which alternate.
const (
	archiveOurs   = "requeen"
	archivePipe   = "tar | zstd"
	archiveRestic = "restic"
	archiveSealed = "tar | zstd | age"
)

var archiveWays = []string{archiveOurs, archivePipe, archiveRestic, archiveSealed}

// archives are the values of one directory, archived in every way.
type archives struct {
	*bench
	dir       string // of all that is made here
	data      string // what is archived
	archiver  string // requeen's way, as a program
	recipient string
	size      int64

	speed, cpu, memory, stored map[string][]float64
	own                        []float64 // bytes, what requeen's process alone had
}

// archives measures the archiving of a directory, without a lab.
func (b *bench) archives(ctx context.Context, keep func(Section) error) error {
	if !b.wants(sectionArchive) {
		return nil
	}
	b.machine = thisMachine()
	a, err := b.newArchives(ctx)
	if a != nil {
		defer os.RemoveAll(a.dir)
	}
	if err != nil {
		return err
	}
	rounds := b.rounds(5)
	for round := range rounds {
		for turn := range archiveWays {
			way := archiveWays[(round+turn)%len(archiveWays)]
			if err := a.once(ctx, way); err != nil {
				return fmt.Errorf("archive, round %d, %s: %w", round+1, way, err)
			}
			b.say("archive, round %d of %d, %s: %.0f MB/s, %.1f s of processor, %s of memory, %s stored", round+1, rounds, way,
				last(a.speed[way])/1e6, last(a.cpu[way]), megabytes(int64(last(a.memory[way]))), megabytes(int64(last(a.stored[way]))))
		}
	}
	notes, err := a.notes(ctx)
	if err != nil {
		return err
	}
	return keep(b.section(sectionArchive, "", notes, a.rows()))
}

func last(values []float64) float64 { return values[len(values)-1] }

// newArchives makes the directory, and the programs that archive it.
func (b *bench) newArchives(ctx context.Context) (*archives, error) {
	if err := lab.Install(ctx, map[string]string{"restic": "restic", "zstd": "zstd", "age": "age", "age-keygen": "age", "tar": "tar"},
		func(line string) { b.say("  %s", line) }); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "requeen-bench-")
	if err != nil {
		return nil, err
	}
	a := &archives{bench: b, dir: dir, data: filepath.Join(dir, "data"), archiver: filepath.Join(dir, "archiver"), size: archiveSize,
		speed: map[string][]float64{}, cpu: map[string][]float64{}, memory: map[string][]float64{}, stored: map[string][]float64{}}
	if b.quick {
		a.size = quickSize
	}
	if b.bytes > 0 {
		a.size = b.bytes
	}
	if err := a.room(); err != nil {
		return a, err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", a.archiver, "./internal/lab/bench/archiver")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return a, fmt.Errorf("the archiver can't be built: %w; run it in the repository's directory\n%s", err, out)
	}
	key, err := exec.CommandContext(ctx, "age-keygen").Output()
	if err != nil {
		return a, err
	}
	for line := range strings.Lines(string(key)) {
		if public, ok := strings.CutPrefix(line, "# public key: "); ok {
			a.recipient = strings.TrimSpace(public)
		}
	}
	b.say("making %s of mixed data in %s", megabytes(a.size), a.data)
	return a, fillDirectory(a.data, a.size)
}

// room wants space for the data and for one archive of it.
func (a *archives) room() error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(a.dir, &fs); err != nil {
		return err
	}
	if have, want := int64(fs.Bavail)*fs.Bsize, 2*a.size+a.size/4; have < want {
		return fmt.Errorf("%s has room for %s, and %s are needed; set TMPDIR to a directory with more", a.dir, megabytes(have), megabytes(want))
	}
	return nil
}

// once archives the directory in one way, and notes what that took.
func (a *archives) once(ctx context.Context, way string) error {
	out := filepath.Join(a.dir, "out")
	defer os.RemoveAll(out)
	if err := os.Mkdir(out, 0o700); err != nil {
		return err
	}
	env := []string{"RESTIC_PASSWORD=bench", "XDG_CACHE_HOME=" + filepath.Join(a.dir, "cache")}
	if way == archiveRestic {
		if _, err := pipeline(ctx, env, []string{"restic", "-q", "-r", out, "init"}); err != nil {
			return err
		}
	}
	if err := a.warm(); err != nil {
		return err
	}
	if err := a.calm(ctx, calmIn); err != nil {
		return err
	}
	begin := time.Now()
	p, err := pipeline(ctx, env, a.commands(way, out)...)
	if err == nil && (way == archivePipe || way == archiveSealed) {
		err = syncFile(filepath.Join(out, "archive")) // the others do so themselves
	}
	took := time.Since(begin)
	if err != nil {
		return err
	}
	stored, err := contentOf(out)
	if err != nil {
		return err
	}
	a.speed[way] = append(a.speed[way], rounded(float64(a.size)/took.Seconds()))
	a.cpu[way] = append(a.cpu[way], rounded(p.cpu.Seconds()))
	a.memory[way] = append(a.memory[way], float64(p.memory()))
	a.stored[way] = append(a.stored[way], float64(stored))
	if way == archiveOurs {
		a.own = append(a.own, float64(p.peaks[len(p.peaks)-1]))
	}
	return nil
}

// commands are those of one way, each reading what the one before it wrote.
func (a *archives) commands(way, out string) [][]string {
	file := filepath.Join(out, "archive")
	switch way {
	case archiveOurs: // tar as requeen runs it on a host
		return [][]string{{"tar", "--sparse", "--numeric-owner", "--xattrs", "-C", a.data, "-cf", "-", "."},
			{a.archiver, "-url", "file://" + out, "-recipient", a.recipient}}
	case archivePipe:
		return [][]string{{"tar", "-S", "-C", a.data, "-cf", "-", "."}, {"zstd", "-q", "-o", file}}
	case archiveSealed:
		return [][]string{{"tar", "-S", "-C", a.data, "-cf", "-", "."}, {"zstd", "-q", "-c"}, {"age", "-r", a.recipient, "-o", file}}
	}
	return [][]string{{"restic", "-q", "-r", out, "backup", a.data}}
}

// warm reads all of the data, so that every way finds it in the page cache.
func (a *archives) warm() error {
	return filepath.WalkDir(a.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(io.Discard, f)
		return err
	})
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// contentOf is how many bytes the files below a directory hold.
func contentOf(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}
