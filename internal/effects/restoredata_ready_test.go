package effects

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/engine"
	"github.com/requeen/requeen/internal/state"
)

// TestStrangersAreToldFirst: a container that no service has stays where it is, and so
// the services are not stopped for data that could not be put back.
func TestStrangersAreToldFirst(t *testing.T) {
	d := apply.DataRestore{Kind: "volume", Name: "pg"}
	told := func(users ...engine.User) error { return noStranger(unused(t.Context(), usedBy(users), d, "/v")) }
	if err := told(engine.User{Name: "db.1.x", Service: "db"}); err != nil {
		t.Error(err)
	}
	var used *apply.DataUsedError
	if err := told(engine.User{Name: "db.1.x", Service: "db"}, engine.User{Name: "psql"}); !errors.As(err, &used) || !slices.Equal(used.Strangers, []string{"psql"}) {
		t.Errorf("got %v", err)
	}
}

type theVolume state.Volume

func (v theVolume) Volume(context.Context, string) (state.Volume, error) { return state.Volume(v), nil }

type noEngine struct{ error }

func (e noEngine) Volume(context.Context, string) (state.Volume, error) { return state.Volume{}, e }

// TestPlaceOfVolume: what no directory of the host holds is refused before a service is
// stopped for it.
func TestPlaceOfVolume(t *testing.T) {
	nfs := map[string]string{"type": "nfs", "device": ":/srv"}
	absent := theVolume{Looked: state.Absent}
	for name, tt := range map[string]struct {
		engine volumes
		held   state.BackupData
		want   string
		good   bool
	}{
		"there":           {theVolume{Looked: state.Present, Driver: "local", Mountpoint: "/v/_data"}, state.BackupData{Driver: "local"}, "/v/_data", true},
		"to be made":      {absent, state.BackupData{Driver: "local"}, "", true},
		"a share there":   {theVolume{Looked: state.Present, Driver: "local", Mountpoint: "/v/_data", Options: nfs}, state.BackupData{Driver: "local"}, "", false},
		"a share then":    {absent, state.BackupData{Driver: "local", Options: nfs}, "", false},
		"another driver":  {absent, state.BackupData{Driver: "rexray"}, "", false},
		"nothing is told": {noEngine{errors.New("down")}, state.BackupData{}, "", false},
	} {
		place, err := placeOfVolume(t.Context(), tt.engine, apply.DataRestore{Kind: "volume", Name: "pg", Volume: "pg"}, tt.held)
		if place != tt.want || (err == nil) != tt.good {
			t.Errorf("%s: %q, %v", name, place, err)
		}
	}
}
