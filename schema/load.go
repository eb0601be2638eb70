package schema

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/requeen/requeen/internal/diag"
)

// topLevel are the blocks that a file may hold, in the reference's order.
var topLevel = []*blockSpec{clusterSpec, nodeSpec, repositorySpec, backupSpec, recoverySpec, variableSpec, localsSpec}

// loader is the work of one Load. It goes on after every mistake, so that all
// of them are told at once.
type loader struct {
	dir     string // absolute
	environ map[string]string
	inputs  []Input
	outside bool

	files        []File
	configs      []parsedFile
	varFiles     []parsedFile
	src          map[string][]byte // for snippets, by the name in diagnostics
	hidden       map[string]bool   // whose text must not be shown
	broken       bool              // something was not read: what seems to be missing may be there
	brokenFile   map[string]bool
	brokenValues bool // the same of a variable file
	syntax       hcl.Diagnostics

	blocks     map[string][]*hclsyntax.Block
	variables  map[string]*variable
	badVars    map[string]bool // why they have no value has been told
	localDefs  map[string]*localDef
	localStack []string
	functions  map[string]function.Function

	node         string // whose attributes are being read
	nodes        []declared
	nodesUnknown bool // some nodes could not be read, which has been told
	rolesUnknown bool
	backupAt     map[string]backupPlaces
	recoveryAt   recoveryPlaces
	clusterAt    clusterPlaces

	environmentAsked, filesFound, filesUnneeded []string // see Outside
	unneeded                                    int      // what is being read is needed to restore alone

	secrets  []string
	shown    map[string]bool // texts that nonsensitive() let through
	revealed map[string]bool // what it let through, for the digest
	diags    diag.Diagnostics
	cfg      *Config
}

// Load reads the configuration in dir. The Config is non-nil if and only if
// there is no error among the diagnostics; warnings come with it.
func Load(dir string, opts Options) (cfg *Config, ds diag.Diagnostics) {
	defer func() {
		if r := recover(); r != nil {
			// The value is not shown: it may hold anything that was evaluated.
			cfg, ds = nil, diag.Diagnostics{{
				Severity: diag.Error, Summary: "Reading the configuration failed",
				Detail: "This is a mistake in requeen, not in the configuration; an expression brought it about.",
				Remedy: "Please report it with the configuration, without its secrets.",
			}}
		}
	}()
	return load(dir, opts)
}

func newLoader(opts Options) *loader {
	l := &loader{
		environ: environMap(opts.Environ), inputs: inputList(opts), outside: opts.AllowOutside,
		src: map[string][]byte{}, hidden: map[string]bool{}, brokenFile: map[string]bool{},
		blocks: map[string][]*hclsyntax.Block{}, variables: map[string]*variable{}, badVars: map[string]bool{},
		localDefs: map[string]*localDef{}, shown: map[string]bool{}, revealed: map[string]bool{},
		backupAt: map[string]backupPlaces{}, cfg: &Config{},
	}
	l.functions = l.newFunctions()
	return l
}

func load(dir string, opts Options) (*Config, diag.Diagnostics) {
	l := newLoader(opts)
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, diag.From(err)
	}
	l.dir, l.cfg.Dir = abs, abs
	if l.readDir() {
		l.decode()
	}
	ds := l.finish()
	if ds.HasErrors() {
		return nil, ds
	}
	slices.SortFunc(l.files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	l.cfg.Files = l.files
	l.cfg.SHA256 = l.digest()
	l.cfg.Outside = l.outsideOf()
	return l.cfg, ds
}

func (l *loader) decode() {
	for _, f := range l.configs {
		l.sortBlocks(f)
	}
	l.readVariables()
	l.readLocals()
	l.giveValues()
	l.addSyntax()
	l.evalLocals()
	l.validate()
	l.readCluster()
	l.readNodes()
	l.readRepositories()
	l.readBackups()
	l.readRecovery()
	l.check()
}

// addSyntax tells of syntax errors, once it is known which variables are
// sensitive: a line of a variable file may hold one.
func (l *loader) addSyntax() {
	secrets := false
	for _, v := range l.variables {
		secrets = secrets || v.sensitive
	}
	open := map[string]bool{} // an open quote spoils every line after it
	for _, d := range l.syntax {
		if d.Subject != nil && d.Summary == "Invalid multi-line string" {
			if open[d.Subject.Filename] {
				continue
			}
			open[d.Subject.Filename] = true
		}
		from := len(l.diags)
		l.addHCL(hcl.Diagnostics{d})
		if secrets && d.Subject != nil && !strings.HasSuffix(d.Subject.Filename, configSuffix) {
			l.diags[from].Snippet = redacted
		}
	}
}

// sortBlocks takes the blocks of a file by their type.
func (l *loader) sortBlocks(f parsedFile) {
	var names []string
	for _, s := range topLevel {
		names = append(names, s.name)
	}
	for _, b := range f.body.Blocks {
		if slices.Contains(names, b.Type) {
			l.blocks[b.Type] = append(l.blocks[b.Type], b)
			continue
		}
		l.err(b.TypeRange, "Unknown block", fmt.Sprintf("A file has no block %q.", b.Type), suggest(b.Type, names))
	}
	for _, a := range sortedAttrs(f.body) {
		remedy := "Put it into a block; a value of your own goes into a locals block."
		if slices.Contains(names, a.Name) {
			remedy = fmt.Sprintf("Write %s … { … } without the equals sign.", a.Name)
		}
		l.err(a.NameRange, "Attribute outside of a block", fmt.Sprintf("%q stands outside of every block.", a.Name), remedy)
	}
}
