package apply_test

import (
	"fmt"
	"testing"

	"github.com/requeen/requeen/apply"
	"github.com/requeen/requeen/internal/state"
)

// TestServiceScaledUpWhileItIsRead: what was read then is no more said to be of one
// moment.
func TestServiceScaledUpWhileItIsRead(t *testing.T) {
	for service, want := range map[string]string{"": state.DataQuiesced, "db": state.DataLive} {
		w, p := withData(nil)
		w.ScaledUp = service
		res, err, _ := start(w.Process(), request(p, t.TempDir()))
		if err != nil {
			t.Fatal(err)
		}
		if d := res.Backups[0].Data[0]; d.Consistency != want || d.Missing {
			t.Errorf("scaled up %q: the manifest tells %+v", service, d)
		}
	}
}

// TestCommandInAServiceThatACutLeftAtRest: what is to run in a container of a service
// before it is brought to rest runs there also after a cut that left it so.
func TestCommandInAServiceThatACutLeftAtRest(t *testing.T) {
	for at := 1; ; at++ {
		w, p := withData(nil)
		for i := range 3 {
			for k := range p.Steps[i].Data.Commands {
				p.Steps[i].Data.Commands[k].Service = "db"
			}
		}
		cut := &points{at: at, do: func() error { panic(kill{}) }}
		q := cut.attach(w, request(p, t.TempDir()))
		_, err, killed := start(w.Process(), q)
		where := fmt.Sprintf("cut %d (%s)", at, cut.where)
		if !killed {
			if err != nil || at < 60 {
				t.Errorf("%s: %v", where, err)
			}
			break
		}
		if _, found, _ := apply.Resume(q.JournalRoot, p.Cluster); !found && len(w.End(1)) == 0 {
			continue
		}
		if again, _, err := resume(t, w, q); err != nil {
			t.Errorf("%s: %v\n%s", where, err, texts(again, apply.Note))
			continue
		}
		theBackup(t, w, where)
	}
}
