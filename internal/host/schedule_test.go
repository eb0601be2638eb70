package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/state"
)

// theSchedule has a secret in each place that may hold one.
func theSchedule() Schedule {
	return Schedule{Cluster: "prod", Backup: "state", MachineID: "machine1", Token: 7, Declared: "d1", Version: "0.1.0",
		Config:   map[string][]byte{"prod.rq.hcl": []byte("cluster \"prod\" {}\n"), "more files/labels.json": []byte("{}")},
		Values:   map[string][]byte{"UNLOCK_KEY": []byte("hush"), "var.dc": []byte("ams")},
		SignKeys: map[string][]byte{"offsite": []byte("ED25519-SECRET-KEY:x"), "nas": []byte("ED25519-SECRET-KEY:y")},
		Units: ScheduleUnits{At: "03:10", TimeZone: "Europe/Amsterdam", Flags: ScheduleFlags{Node: "m1", FreshSeconds: 3600,
			Exported: []string{"AWS_SECRET_ACCESS_KEY"}, Textfile: "/var/lib/100% of it/requeen.prom"}}}
}

func newScheduleHost(t *testing.T) *fakeHost {
	f := newFakeHost(t)
	if err := os.MkdirAll(f.path("etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fakeHost) schedules() []state.HostSchedule {
	f.t.Helper()
	facts, err := f.host.Probe(f.t.Context(), ProbeOptions{Cluster: "prod"})
	if err != nil {
		f.t.Fatal(err)
	}
	return facts.Host.Schedules
}

func (f *fakeHost) scheduled(s Schedule) state.HostSchedule {
	f.t.Helper()
	if err := f.host.PutSchedule(f.t.Context(), s); err != nil {
		f.t.Fatal(err)
	}
	list := f.schedules()
	if len(list) != 1 {
		f.t.Fatalf("the host tells of %d schedules: %+v", len(list), list)
	}
	return list[0]
}

// TestScheduleIsPut: it is there whole, for its owner alone, with its timer started, and
// no secret is in a unit, an argument or an environment.
func TestScheduleIsPut(t *testing.T) {
	f := newScheduleHost(t)
	have := f.scheduled(theSchedule())
	if have.Cluster != "prod" || have.Backup != "state" || have.Declared != "d1" || have.Version != "0.1.0" || have.Damage != "" || have.Timer != "active" {
		t.Errorf("the host tells %+v", have)
	}
	for name, value := range map[string]string{"UNLOCK_KEY": "hush", "var.dc": "ams", SignKeyValue("offsite"): "ED25519-SECRET-KEY:x", SignKeyValue("nas"): "ED25519-SECRET-KEY:y"} {
		if !Printed(have.Prints[name], []byte(value)) || Printed(have.Prints[name], []byte(value+"x")) {
			t.Errorf("the print of %s does not tell its value apart: %q", name, have.Prints[name])
		}
	}
	base := f.path("state/schedules/prod:state")
	err := filepath.WalkDir(base, func(path string, d os.DirEntry, err error) error {
		if info, _ := d.Info(); err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for file, text := range map[string]string{"config/more files/labels.json": "{}", "values/UNLOCK_KEY": "hush", "keys/offsite": "ED25519-SECRET-KEY:x", "keys/nas": "ED25519-SECRET-KEY:y"} {
		if got := read(t, base+"/files/"+file); got != text {
			t.Errorf("%s holds %q", file, got)
		}
	}
	for _, place := range []string{f.path("calls"), f.path("env"), f.path("etc/requeen-schedule-prod:state.service"), f.path("etc/requeen-schedule-prod:state.timer")} {
		if text := read(t, place); strings.Contains(text, "hush") || strings.Contains(text, "SECRET-KEY:") {
			t.Errorf("%s has a secret", place)
		}
	}
	timer := read(t, f.path("etc/requeen-schedule-prod:state.timer"))
	for _, want := range []string{"OnCalendar=*-*-* 03:10:00 Europe/Amsterdam\n", "Persistent=true\n", "RandomizedDelaySec="} {
		if !strings.Contains(timer, want) {
			t.Errorf("the timer lacks %q:\n%s", want, timer)
		}
	}
	service := read(t, f.path("etc/requeen-schedule-prod:state.service"))
	for _, want := range []string{"NoNewPrivileges=yes\n", "ProtectHome=read-only\n", " backup run state -on=m1 ", " -fresh=3600s ", `"-textfile=/var/lib/100%% of it/requeen.prom"`} {
		if !strings.Contains(service, want) {
			t.Errorf("the service lacks %q:\n%s", want, service)
		}
	}
}

// TestScheduleDamage: whatever is changed on the host is told.
func TestScheduleDamage(t *testing.T) {
	for name, spoil := range map[string]func(*fakeHost, string){
		"a value":        func(f *fakeHost, base string) { write(f.t, base+"/files/values/UNLOCK_KEY", "other", 0o600) },
		"the config":     func(f *fakeHost, base string) { _ = os.Remove(base + "/files/config/prod.rq.hcl") },
		"the program":    func(f *fakeHost, base string) { _ = os.Remove(base + "/files/requeen") },
		"the mode":       func(f *fakeHost, base string) { _ = os.Chmod(base, 0o755) },
		"the timer":      func(f *fakeHost, _ string) { write(f.t, f.path("etc/requeen-schedule-prod:state.timer"), "x", 0o644) },
		"no service":     func(f *fakeHost, _ string) { _ = os.Remove(f.path("etc/requeen-schedule-prod:state.service")) },
		"only the units": func(f *fakeHost, base string) { _ = os.RemoveAll(base) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newScheduleHost(t)
			f.scheduled(theSchedule())
			spoil(f, f.path("state/schedules/prod:state"))
			if list := f.schedules(); len(list) != 1 || list[0].Damage == "" {
				t.Errorf("the host tells %+v", list)
			}
			if have := f.scheduled(theSchedule()); have.Damage != "" {
				t.Errorf("after it was put again: %s", have.Damage)
			}
		})
	}
}

// TestScheduleIsReplaced: values that are not at hand stay, others go.
func TestScheduleIsReplaced(t *testing.T) {
	f := newScheduleHost(t)
	f.scheduled(theSchedule())
	next := theSchedule()
	next.Declared, next.Values, next.Keep, next.SignKeys = "d2", map[string][]byte{"NEW": []byte("n")}, []string{"UNLOCK_KEY", "NEVER_SEEN"}, nil
	have := f.scheduled(next)
	base := f.path("state/schedules/prod:state/files") + "/"
	if have.Declared != "d2" || have.Damage != "" || !Printed(have.Prints["UNLOCK_KEY"], []byte("hush")) || read(t, base+"values/UNLOCK_KEY") != "hush" {
		t.Errorf("the value that was to stay: %+v", have)
	}
	if have.Prints["var.dc"] != "" || exists(base+"values/var.dc") || exists(base+"keys/offsite") {
		t.Error("a value that is no more declared is still there")
	}
}

// TestScheduleIsTaken: nothing of it is left, and taking it again does no harm.
func TestScheduleIsTaken(t *testing.T) {
	f := newScheduleHost(t)
	f.scheduled(theSchedule())
	write(t, f.path("units/requeen-schedule-prod:state.service"), "active\n", 0o644)
	for range 2 {
		if err := f.host.TakeSchedule(t.Context(), "prod", "state", "machine1", 8); err != nil {
			t.Fatal(err)
		}
		if list := f.schedules(); len(list) != 0 {
			t.Errorf("the host tells %+v", list)
		}
	}
	if exists(f.path("state/schedules")) || exists(f.path("etc/requeen-schedule-prod:state.service")) || f.is("requeen-schedule-prod:state.service") == "active" {
		t.Error("something is left")
	}
}

// TestScheduleIsGuarded: keys go to no other machine, and not past a newer run.
func TestScheduleIsGuarded(t *testing.T) {
	f := newScheduleHost(t)
	other, late := theSchedule(), theSchedule()
	other.MachineID, late.Token = "machine2", 3
	if err := f.host.PutSchedule(t.Context(), other); !errors.Is(err, ErrGuard) {
		t.Errorf("another machine: %v", err)
	}
	f.scheduled(theSchedule())
	if err := f.host.PutSchedule(t.Context(), late); !errors.Is(err, ErrToken) {
		t.Errorf("a lower token: %v", err)
	}
	write(t, f.path("calls"), "", 0o644)
	if err := f.host.TakeSchedule(t.Context(), "prod", "state", "machine1", 3); !errors.Is(err, ErrToken) {
		t.Errorf("taken with a lower token: %v", err)
	}
	if calls := read(t, f.path("calls")); strings.Contains(calls, "stop") || strings.Contains(calls, "disable") {
		t.Errorf("a run that is late has stopped something:\n%s", calls)
	}
	for _, name := range []string{"../x", "/etc/passwd", "a\nb", ".."} {
		s := theSchedule()
		s.Config = map[string][]byte{name: nil}
		if err := f.host.PutSchedule(t.Context(), s); err == nil {
			t.Errorf("a file %q is put there", name)
		}
	}
}

// TestScheduleUnderWayKeepsItsToken: a run that is asked to end brings back what it has
// stopped under its own token, which the one that takes it away is above.
func TestScheduleUnderWayKeepsItsToken(t *testing.T) {
	f := newScheduleHost(t)
	f.scheduled(theSchedule())
	write(t, f.path("stop-fails"), "", 0o644)
	if err := f.host.TakeSchedule(t.Context(), "prod", "state", "machine1", 9); err == nil {
		t.Fatal("a service that does not end was taken away")
	}
	if token := read(t, f.path("state/tokens/prod")); token != "7\n" {
		t.Errorf("while the service was at work the host's token was %q", token)
	}
	if err := os.Remove(f.path("stop-fails")); err != nil {
		t.Fatal(err)
	}
	if err := f.host.TakeSchedule(t.Context(), "prod", "state", "machine1", 9); err != nil {
		t.Fatal(err)
	}
	if token := read(t, f.path("state/tokens/prod")); token != "9\n" {
		t.Errorf("afterwards it is %q", token)
	}
}

// TestScheduleWithCommandsIsNotConfined: what a command finds by hand it finds in a run.
func TestScheduleWithCommandsIsNotConfined(t *testing.T) {
	s := theSchedule()
	s.Units.Open.Commands, s.Units.DataSeconds = true, 60
	text := s.Units.service(s, "/var/lib/requeen/schedules/prod:state")
	for _, word := range []string{"Protect", "PrivateTmp", "NoNewPrivileges", "Restrict", "SystemCall"} {
		if strings.Contains(text, word) {
			t.Errorf("it has %s:\n%s", word, text)
		}
	}
	if !strings.Contains(text, "\nTimeoutStartSec=43260\n") || !strings.Contains(text, "\nTimeoutStopSec=270\n# ") || !strings.HasSuffix(text, "by hand.\n") {
		t.Errorf("it is cut:\n%s", text)
	}
}
