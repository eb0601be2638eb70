package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

const module = "github.com/requeen/requeen/"

// walls says what each package may import of ours, directly, and why.
var walls = map[string]struct {
	may []string
	why string
}{
	"internal/state":      {nil, "plain data that every package shares"},
	"internal/diag":       {nil, "what is said when something is wrong; everybody says something"},
	"schema":              {[]string{"internal/diag"}, "the language knows no swarm: files in, Config out"},
	"internal/specdiff":   {[]string{"internal/state"}, "compares two contents of a swarm: pure"},
	"internal/retention":  {nil, "which backups stay is a pure function of their times"},
	"plan":                {[]string{"schema", "internal/state", "internal/diag", "internal/retention"}, "the decision is pure: no host, engine or repository"},
	"plan/planfile":       {[]string{"plan", "internal/diag", "internal/atomicfile"}, "bytes of a plan, nothing else"},
	"internal/host":       {[]string{"internal/state", "internal/diag"}, "one machine; it knows no plan"},
	"internal/engine":     {[]string{"internal/state", "internal/diag"}, "the only door to the Docker client"},
	"internal/raftdir":    {[]string{"internal/state", "internal/diag"}, "the only door to swarmkit"},
	"internal/repository": {[]string{"internal/state", "internal/diag"}, "the only door to object storage, age and zstd"},
	"internal/observe": {[]string{"schema", "internal/state", "internal/diag", "internal/host", "internal/engine", "internal/raftdir", "internal/repository"},
		"reads the world; knows no plan"},
	"apply": {[]string{"plan", "internal/state", "internal/diag"}, "the run acts through ports, so that faults can be put in its way"},
	"internal/effects": {[]string{"apply", "internal/state", "internal/diag", "internal/host", "internal/engine", "internal/raftdir", "internal/repository"},
		"joins the four doors into apply's ports; it decides nothing, so it knows no plan or schema"},
	"internal/view":            {[]string{"plan", "schema", "internal/status", "internal/state", "internal/diag", "internal/specdiff"}, "words on a screen"},
	"internal/status":          {[]string{"plan", "schema", "internal/state", "internal/diag"}, "a judgement as pure as plan's, which it repeats"},
	"internal/adopt":           {[]string{"schema", "internal/state", "internal/diag"}, "observation to configuration: pure, and knows no plan"},
	"internal/pages":           {nil, "reads the Markdown of this repository, for tests"},
	"internal/lab/bench":       {[]string{"internal/lab"}, "measures the built program from outside"},
	"internal/lab/objectstore": {nil, "tests alone: repositories at a real S3 server"},
	"internal/lab/record":      {nil, "draws a recorded terminal; it knows nothing of what it shows"},
	"internal/lab":             {[]string{"internal/diag"}, "the test bed must not stand on what it tests"},

	"internal/state/statefile": {[]string{"internal/state", "internal/diag", "internal/atomicfile"}, "bytes of an observation, nothing else"},
	"internal/atomicfile":      {nil, "a file that is there whole or not; it knows nothing of what is in it"},
	"internal/view/schemas":    {nil, "the published schemas, as files"},
	"internal/forgetest":       {nil, "runs the example pipelines in tests; it knows nothing of what they run"},

	"internal/lab/bench/archiver": {[]string{"internal/repository", "internal/state"}, "what the product does with an archive, as a process to measure"},
}

// doors are the vendors that one package alone may import.
var doors = map[string]string{
	"github.com/docker/docker":      "internal/engine",
	"github.com/moby/swarmkit":      "internal/raftdir",
	"go.etcd.io/":                   "internal/raftdir",
	"gocloud.dev":                   "internal/repository",
	"github.com/aws":                "internal/repository",
	"github.com/Azure":              "internal/repository",
	"cloud.google.com/go":           "internal/repository",
	"filippo.io/age":                "internal/repository",
	"github.com/klauspost/compress": "internal/repository",
	"github.com/hashicorp/hcl":      "schema",
	"github.com/zclconf/go-cty":     "schema",
	"github.com/spf13/cobra":        "cmd/requeen",

	"github.com/itchyny/gojq": "internal/forgetest",
	"gopkg.in/yaml.v3":        "internal/forgetest",

	"github.com/santhosh-tekuri/jsonschema": "(tests)",
}

// noVendors are the packages which reach no door at all, however indirectly.
var noVendors = []string{"internal/state", "internal/state/statefile", "internal/diag", "plan/planfile", "apply", "internal/view", "internal/lab", "internal/host", "internal/retention"}

func TestWalls(t *testing.T) {
	pkgs, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedImports | packages.NeedDeps}, "../../...")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range pkgs {
		for _, e := range p.Errors {
			t.Fatalf("%s: %v", p.PkgPath, e)
		}
		name := strings.TrimPrefix(p.PkgPath, module)
		seen[name] = true
		checkDirect(t, name, p)
	}
	for name := range walls {
		if !seen[name] {
			t.Errorf("%s stands in the table of walls and is not there", name)
		}
	}
	for _, p := range pkgs {
		checkTransitive(t, strings.TrimPrefix(p.PkgPath, module), p)
	}
}

func checkDirect(t *testing.T, name string, p *packages.Package) {
	for path := range p.Imports {
		for door, owner := range doors {
			if strings.HasPrefix(path, door) && name != owner && !strings.HasPrefix(name, owner+"/") {
				t.Errorf("%s imports %s: only %s may", name, path, owner)
			}
		}
	}
	wall, ok := walls[name]
	if !ok {
		return
	}
	for path := range p.Imports {
		if !strings.HasPrefix(path, module) {
			continue
		}
		if ours := strings.TrimPrefix(path, module); !contains(wall.may, ours) {
			t.Errorf("%s imports %s, which its wall forbids (%s)", name, ours, wall.why)
		}
	}
}

func checkTransitive(t *testing.T, name string, p *packages.Package) {
	if !contains(noVendors, name) {
		return
	}
	for _, path := range reach(p) {
		for door := range doors {
			// apply, view and planfile reach HCL's types through plan's
			// Config; schema keeps them out of Config itself.
			throughSchema := doors[door] == "schema"
			if strings.HasPrefix(path, door) && !throughSchema {
				t.Errorf("%s reaches %s: it must know no vendor, however indirectly", name, path)
			}
		}
	}
}

// reach gives every package that p imports, directly or not, sorted.
func reach(p *packages.Package) []string {
	found := map[string]bool{}
	var walk func(*packages.Package)
	walk = func(p *packages.Package) {
		for path, next := range p.Imports {
			if !found[path] {
				found[path] = true
				walk(next)
			}
		}
	}
	walk(p)
	paths := make([]string, 0, len(found))
	for path := range found {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	return paths
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// TestContributingHasTheWalls keeps the table in CONTRIBUTING.md the one that
// holds.
func TestContributingHasTheWalls(t *testing.T) {
	const file, begin, end = "../../CONTRIBUTING.md", "<!-- walls: begin -->\n", "<!-- walls: end -->"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the walls", file)
	}
	var b strings.Builder
	b.WriteString("\n| package | imports of ours | why |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(walls)) {
		may := "none"
		if list := walls[name].may; len(list) > 0 {
			may = "`" + strings.Join(slices.Sorted(slices.Values(list)), "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, may, walls[name].why)
	}
	b.WriteString("\n| vendor | only in |\n|---|---|\n")
	for _, vendor := range slices.Sorted(maps.Keys(doors)) {
		fmt.Fprintf(&b, "| `%s` | `%s` |\n", vendor, doors[vendor])
	}
	b.WriteString("\n")
	golden(t, file, before+begin+b.String()+end+after)
}
