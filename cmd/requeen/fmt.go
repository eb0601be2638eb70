package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/schema"
)

type fmtFlags struct{ check, diff, recursive, write bool }

func newFmtCommand(a *app) *cobra.Command {
	var f fmtFlags
	cmd := &cobra.Command{
		Use:   "fmt [FILE|DIR|-]…",
		Short: "Bring files into their canonical form",
		Long: `Indents and aligns *.rq.hcl and *.rqvars files; only white space is changed. The
files that were changed are listed. Without a name the files of this directory
are meant; - reads from the standard input and writes to the standard output.
A file with a syntax error is told and left as it is.`,
		Example: "  requeen fmt\n  requeen fmt -check -diff -recursive\n  requeen fmt - <prod.rq.hcl",
		RunE:    func(_ *cobra.Command, args []string) error { return a.fmt(args, f) },
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "change nothing, and exit with 3 if a file has another form")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "show what is changed")
	cmd.Flags().BoolVar(&f.recursive, "recursive", false, "also the directories below")
	cmd.Flags().BoolVar(&f.write, "write", true, "write the files; -write=false only lists them")
	return cmd
}

func (a *app) fmt(args []string, f fmtFlags) error {
	if slices.Equal(args, []string{"-"}) {
		return a.fmtInput(f)
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	files, err := sources(args, f.recursive)
	if err != nil {
		return err
	}
	var mistakes diag.Diagnostics
	changed := false
	for _, path := range files {
		did, err := a.fmtFile(path, f)
		var ds diag.Diagnostics
		if errors.As(err, &ds) {
			mistakes = append(mistakes, ds...)
			continue
		}
		if err != nil {
			return err
		}
		changed = changed || did
	}
	switch {
	case len(mistakes) > 0:
		return mistakes
	case changed && f.check:
		return exitStatus(diag.ExitFormat)
	}
	return nil
}

// sources are the files that are meant, sorted, each once. A file that is named
// must be one to format.
func sources(args []string, recursive bool) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, diag.Diagnostic{Severity: diag.Error, Summary: "There is nothing to format", Detail: err.Error() + ".", Remedy: "name files, directories, or - for the standard input"}
		}
		if !info.IsDir() {
			if !schema.IsSource(arg) {
				return nil, diag.Diagnostic{Severity: diag.Error, Summary: "Not a file to format", Detail: fmt.Sprintf("%s is neither *.rq.hcl nor *.rqvars.", arg), Remedy: "name one that is, or rename it"}
			}
			files = append(files, arg)
			continue
		}
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && path != arg && (!recursive || strings.HasPrefix(d.Name(), ".")):
				return filepath.SkipDir
			case !d.IsDir() && schema.IsSource(path):
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// fmtFile brings one file into its form, and tells whether it had another.
func (a *app) fmtFile(path string, f fmtFlags) (bool, error) {
	old, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	text, ds := schema.Format(path, old)
	if ds.HasErrors() {
		return false, ds
	}
	if bytes.Equal(old, text) {
		return false, nil
	}
	fmt.Fprintln(a.out, path)
	if f.diff {
		a.showDiff(path, old, text)
	}
	if f.check || !f.write {
		return true, nil
	}
	return true, replaceFile(path, text)
}

// showDiff leaves the lines of variable files out: they may be secrets.
func (a *app) showDiff(path string, old, text []byte) {
	if schema.MayHoldSecrets(path) {
		fmt.Fprintf(a.out, "(the lines of %s may be secrets, and are not shown)\n", path)
		return
	}
	_, _ = a.out.Write(diff.Diff(path, old, path+" formatted", text))
}

func (a *app) fmtInput(f fmtFlags) error {
	old, err := io.ReadAll(a.in)
	if err != nil {
		return err
	}
	text, ds := schema.Format("<standard input>", old)
	if ds.HasErrors() {
		return ds
	}
	switch {
	case f.diff:
		a.showDiff("<standard input>", old, text)
	case !f.check:
		if _, err := a.out.Write(text); err != nil {
			return err
		}
	}
	if f.check && !bytes.Equal(old, text) {
		return exitStatus(diag.ExitFormat)
	}
	return nil
}

// replaceFile writes a file beside its place and renames it, with the mode and
// the owner that it had: whoever reads it sees the old text or the new one. A
// link is followed, so that it stays a link.
func replaceFile(path string, text []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("%s can't be written: %w", path, err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(text)
	err = errors.Join(err, tmp.Chmod(info.Mode().Perm()), tmp.Sync())
	if st, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		err = errors.Join(err, tmp.Chown(int(st.Uid), int(st.Gid)))
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return fmt.Errorf("%s can't be written: %w", path, err)
	}
	return os.Rename(tmp.Name(), path)
}
