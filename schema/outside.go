package schema

import (
	"path/filepath"
	"slices"
)

// Outside is what a configuration was read from beside its own files: whoever reads it
// on another machine needs the same there. Only names are told; the values may be
// secret.
type Outside struct {
	// Environment are the names of the variables that env() asked for, set or not,
	// sorted. Those that only an identity or the unlock key is read from are not among
	// them: backups are made without.
	Environment []string
	// Files are what file() and fileexists() found, by their paths within the
	// directory, with slashes, sorted.
	Files []string
	// Unneeded are likewise those that only an identity or the unlock key is read from.
	// They have to be there, and may be empty.
	Unneeded []string
	// VarFiles are the variable files that were named by -var-file.
	VarFiles []string
}

// asked notes that the configuration asks for an environment variable.
func (l *loader) asked(name string) {
	if l.unneeded == 0 {
		l.environmentAsked = append(l.environmentAsked, name)
	}
}

// found notes a file whose text the configuration is made from.
func (l *loader) found(path string) {
	if l.unneeded > 0 {
		l.filesUnneeded = append(l.filesUnneeded, path)
		return
	}
	l.filesFound = append(l.filesFound, path)
}

// outsideOf is what was noted.
func (l *loader) outsideOf() Outside {
	o := Outside{Environment: once(l.environmentAsked), Files: l.inside(l.filesFound), Unneeded: l.inside(l.filesUnneeded)}
	o.Unneeded = slices.DeleteFunc(o.Unneeded, func(name string) bool { return slices.Contains(o.Files, name) })
	for _, in := range l.inputs {
		if in.File != "" {
			o.VarFiles = append(o.VarFiles, in.File)
		}
	}
	return o
}

// inside are the paths as they are within the directory, without what is not.
func (l *loader) inside(paths []string) []string {
	var list []string
	for _, p := range paths {
		if rel, err := filepath.Rel(l.dir, p); err == nil && filepath.IsLocal(rel) {
			list = append(list, filepath.ToSlash(rel))
		}
	}
	return once(list)
}

func once(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
