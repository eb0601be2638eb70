package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
	"github.com/requeen/requeen/schema"
)

// That the restore of a copy can be planned is proved of the copy that was looked at,
// though another repository comes before it.
func TestTheCopyThatWasOpenedIsPlanned(t *testing.T) {
	dir := filepath.Join("..", "..", "plan", "testdata", "copies-restore")
	cfg, ds := schema.Load(dir, schema.Options{})
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	var st *state.State
	data, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err = errors.Join(err, json.Unmarshal(data, &st)); err != nil {
		t.Fatal(err)
	}
	for i := range st.Repositories {
		b := &st.Repositories[i].Backups[0]
		b.Problem, b.Suspect, b.Opening = nil, nil, &state.Opening{}
	}
	at := backupAt{"nas", st.Repository("nas").Backups[0].ID}
	planned := func() (onto, why string) {
		p, err := plan.Build(plan.Input{Config: cfg, State: st, Now: st.ObservedAt, ToolVersion: "0.1.0", Restore: at.id, Here: plan.Here{}})
		if err != nil {
			t.Fatal(err)
		}
		return restoresAt(p, at)
	}
	if onto, why := planned(); onto != "" || why == "" {
		t.Errorf("the first copy is planned, and it is taken for the second's: %q, %q", onto, why)
	}
	onlyAt(st, at)
	if onto, why := planned(); onto == "" {
		t.Errorf("it can't be planned: %s", why)
	}
	if len(st.Repository("local").Backups) != 0 || len(st.Repository("nas").Backups) != 1 {
		t.Errorf("%+v", st.Repositories)
	}
}
