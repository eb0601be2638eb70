package schema

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
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

const (
	configSuffix = ".rq.hcl"
	autoSuffix   = ".auto.rqvars"
	ownVarFile   = "requeen.rqvars"

	// maxFile bounds what the recursive parser is given: a cluster of a
	// thousand nodes needs less.
	maxFile = 256 << 10
	// maxNesting bounds brackets in brackets, for the same reason.
	maxNesting = 100
	// maxText bounds what file() reads.
	maxText = 1 << 20
)

type parsedFile struct {
	name string
	body *hclsyntax.Body
}

// readDir reads and parses the configuration's files. False means that there
// is nothing to go on with.
func (l *loader) readDir() bool {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		l.dirError(err)
		return false
	}
	var own, auto []string
	configs := 0
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.HasPrefix(name, "."):
		case strings.HasSuffix(name, configSuffix):
			configs++
			if f, ok := l.readOne(name, filepath.Join(l.dir, name)); ok {
				l.configs = append(l.configs, f)
			}
		case name == ownVarFile:
			own = append(own, name)
		case strings.HasSuffix(name, autoSuffix):
			auto = append(auto, name)
		}
	}
	if configs == 0 {
		l.errFile("", "No configuration here", fmt.Sprintf("The directory %s holds no *%s file.", l.dir, configSuffix),
			"Run requeen in the configuration's directory, or name it: requeen -chdir=DIR …")
		return false
	}
	slices.Sort(auto)
	for _, name := range append(own, auto...) {
		if f, ok := l.readOne(name, filepath.Join(l.dir, name)); ok {
			l.varFiles = append(l.varFiles, f)
		}
	}
	return true
}

func (l *loader) dirError(err error) {
	const remedy = "Run requeen in the configuration's directory, or name it: requeen -chdir=DIR …"
	switch info, statErr := os.Stat(l.dir); {
	case errors.Is(err, fs.ErrNotExist):
		l.errFile("", "No such directory", fmt.Sprintf("There is no directory %s.", l.dir), remedy)
	case statErr == nil && !info.IsDir():
		l.errFile("", "Not a directory", fmt.Sprintf("%s is a file; a configuration is a directory.", l.dir), remedy)
	default:
		l.errFile("", "Directory that can't be read", fmt.Sprintf("%s: %s.", l.dir, plainError(err)), "Check the directory's permissions.")
	}
}

// readOne reads and parses one file. name is how it is called in diagnostics.
func (l *loader) readOne(name, path string) (parsedFile, bool) {
	data, err := readRegular(os.Stat, func(p string) (fs.File, error) { return os.Open(p) }, path, maxFile)
	if err != nil {
		l.spoil(name)
		l.errFile(name, "File that can't be read", fmt.Sprintf("%s: %s.", name, plainError(err)), "Check that it exists, is a file of text and may be read.")
		return parsedFile{}, false
	}
	l.src[name] = data
	l.files = append(l.files, File{Name: name, Bytes: data})
	if at := invalidUTF8(data); at >= 0 {
		l.spoil(name)
		l.notUTF8(name, data, at)
		return parsedFile{}, false
	}
	return parsedFile{name: name, body: l.parse(name, data)}, true
}

// notUTF8 tells of the first byte that is not UTF-8.
func (l *loader) notUTF8(name string, data []byte, at int) {
	pos := hcl.Pos{Line: 1 + bytes.Count(data[:at], []byte("\n")), Column: 1, Byte: at}
	l.err(hcl.Range{Filename: name, Start: pos, End: pos}, "File that is not UTF-8", fmt.Sprintf("The byte at offset %d is not UTF-8.", at), "Store the file as UTF-8.")
}

// spoil notes that a file was not read, or not all of it: what seems to be
// missing may be there.
func (l *loader) spoil(name string) {
	l.brokenFile[name] = true
	if strings.HasSuffix(name, configSuffix) {
		l.broken = true
	} else {
		l.brokenValues = true
	}
}

// parse gives what could be made of a file, and notes when that is not all.
func (l *loader) parse(name string, data []byte) *hclsyntax.Body {
	if at, deep := tooDeep(name, data); deep {
		l.spoil(name)
		l.err(at, "Brackets nested too deeply", fmt.Sprintf("More than %d brackets are open here.", maxNesting), "Close what is open, or use locals.")
		return &hclsyntax.Body{}
	}
	f, ds := hclsyntax.ParseConfig(data, name, hcl.InitialPos)
	if ds.HasErrors() {
		l.spoil(name)
	}
	l.syntax = append(l.syntax, ds...)
	if f == nil {
		return &hclsyntax.Body{}
	}
	body, ok := f.Body.(*hclsyntax.Body)
	if !ok {
		return &hclsyntax.Body{}
	}
	keepKeyMarks(body)
	return body
}

// tooDeep finds where more brackets are open than the parser should recurse on.
func tooDeep(name string, data []byte) (hcl.Range, bool) {
	tokens, _ := hclsyntax.LexConfig(data, name, hcl.InitialPos)
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
			depth--
		}
		if depth > maxNesting {
			return t.Range, true
		}
	}
	return hcl.Range{}, false
}

// readRegular reads a regular file of at most limit bytes: never a pipe, which
// would wait, nor a device, which would not end.
func readRegular(stat func(string) (fs.FileInfo, error), open func(string) (fs.File, error), path string, limit int64) ([]byte, error) {
	info, err := stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("it is a directory")
	case !isRegular(info):
		return nil, errors.New("it is not a regular file")
	}
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("it is larger than %d KiB", limit>>10)
	}
	return data, err
}

// readText reads a file for file(). Outside the configuration's directory,
// symbolic links followed, it refuses (safety rule 22).
func (l *loader) readText(path string) (string, error) {
	full := path
	if !filepath.IsAbs(path) {
		full = filepath.Join(l.dir, path)
	}
	data, err := l.readInside(full)
	if errors.Is(err, errOutside) && l.outside {
		data, err = readRegular(os.Stat, func(p string) (fs.File, error) { return os.Open(p) }, full, maxText)
	}
	if err != nil {
		return "", readError{path, err}
	}
	if invalidUTF8(data) >= 0 {
		return "", fmt.Errorf("%s is not UTF-8 text", path)
	}
	l.found(full)
	return string(data), nil
}

// readError is why file() can't read a path.
type readError struct {
	path string
	err  error
}

func (e readError) Error() string { return fmt.Sprintf("%s: %s", e.path, plainError(e.err)) }
func (e readError) Unwrap() error { return e.err }

var errOutside = errors.New("it is outside the configuration's directory, where nothing is read")

func (l *loader) readInside(full string) ([]byte, error) {
	rel, err := filepath.Rel(l.dir, full)
	if err != nil || !filepath.IsLocal(rel) {
		return nil, errOutside
	}
	root, err := os.OpenRoot(l.dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	data, err := readRegular(root.Stat, func(p string) (fs.File, error) { return root.Open(p) }, rel, maxText)
	if err != nil && strings.Contains(err.Error(), "escapes from parent") {
		return nil, errOutside
	}
	return data, err
}

// plainError is the reason alone, without the path that the caller names.
func plainError(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// invalidUTF8 is the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}
