// Package schemas holds the JSON Schemas of what requeen writes for programs: the
// plan document, an observation's file, the lines of plan -json and apply -json, and
// what backup diff -json prints.
//
// They are written by a test of the command, out of the types that are encoded and
// their comments: see cmd/requeen. The package must not read, check or explain a
// document; it imports nothing of ours.
package schemas

import "embed"

// The names of the schemas.
const (
	Plan        = "plan"
	Observation = "observation"
	PlanStream  = "plan-stream"
	ApplyStream = "apply-stream"
	BackupDiff  = "backup-diff"
)

//go:embed *.schema.json
var files embed.FS

// Names are the schemas that there are, as a person would list them.
func Names() []string { return []string{Plan, Observation, PlanStream, ApplyStream, BackupDiff} }

// Get gives a schema's text; false where there is none of that name.
func Get(name string) (string, bool) {
	data, err := files.ReadFile(name + ".schema.json")
	return string(data), err == nil
}
