package main

import (
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
)

// rows are the comparisons with every other way. What is judged is the throughput,
// next to those that an operator would take; age is told, since nobody has
// encrypted without the time for it.
func (a *archives) rows() []Row {
	var list []Row
	for _, m := range []struct {
		what, unit string
		values     map[string][]float64
		bound      *Bound
	}{
		{"throughput", "bytes/s", a.speed, &Bound{Min: 0.9}},
		{"processor time", "s", a.cpu, nil},
		{"peak resident memory, all processes", "bytes", a.memory, nil},
		{"bytes stored", "bytes", a.stored, nil},
	} {
		for _, way := range archiveWays[1:] {
			row := Row{What: m.what, Ours: Series{archiveOurs, m.unit, m.values[archiveOurs]}, Other: Series{way, m.unit, m.values[way]}}
			if way != archiveSealed {
				row.Bound = m.bound
			}
			list = append(list, row)
		}
	}
	limit := make([]float64, len(a.own))
	for i := range limit {
		limit[i] = archiveLimit
	}
	return append(list, Row{What: "peak resident memory, requeen without tar", Ours: Series{archiveOurs, "bytes", a.own},
		Other: Series{"what it may take for any size", "bytes", limit}, Bound: &Bound{Max: 1}})
}

// notes say what was archived, and by which versions.
func (a *archives) notes(ctx context.Context) ([]string, error) {
	files, long := 0, int64(0)
	err := filepath.WalkDir(a.data, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			files, long = files+1, long+info.Size()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var kinds []string
	for _, kind := range mixed {
		kinds = append(kinds, fmt.Sprintf("%d %% %s", kind.share, kind.name))
	}
	var versions []string
	for _, program := range [][]string{{"tar", "--version"}, {"zstd", "--version"}, {"age", "--version"}, {"restic", "version"}} {
		out, err := exec.CommandContext(ctx, program[0], program[1:]...).Output()
		if err != nil {
			return nil, err
		}
		first, _, _ := strings.Cut(strings.Trim(string(out), "* \n"), "\n")
		first, _, _ = strings.Cut(first, ", ")
		versions = append(versions, program[0]+": "+first)
	}
	return []string{
		fmt.Sprintf("The directory holds %s of content in %d files (%s), and %s of holes.", megabytes(a.size), files, strings.Join(kinds, ", "), megabytes(long-a.size)),
		"Versions: " + strings.Join(versions, "; ") + ".",
	}, nil
}
