package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

const (
	// callTimeout bounds one look at a host, so that a connection that hangs
	// does not take the whole step's time.
	callTimeout = 30 * time.Second
	// progressEvery is how often a wait tells that it is one.
	progressEvery = time.Second
	// deadAfter is for how long a unit must be seen ended before that is
	// believed: systemd tells it a moment before it is so or after.
	deadAfter = 5 * time.Second
)

// final is an error that a wait does not sit out.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// poll looks until done, a final error, or the end of the step's time. A host
// that can't be reached is waited for: its own unit goes on meanwhile.
func (t *task) poll(ctx context.Context, what string, look func(context.Context) (bool, error)) error {
	began := t.Clock.Now()
	told := began
	for {
		done, err := t.once(ctx, look)
		if done || err != nil {
			return err
		}
		if !t.watching {
			if err := t.mayAct(); err != nil {
				return err
			}
		}
		t.heedInterrupt()
		now := t.Clock.Now()
		if !now.Before(t.deadline) {
			return t.timedOut(what)
		}
		if now.Sub(told) >= progressEvery {
			told = now
			t.emit(Event{Type: StepProgress, Text: fmt.Sprintf("waits until %s: %s of at most %s",
				what, now.Sub(began).Round(time.Second), t.s.Timeout())})
		}
		if err := t.sleep(ctx, t.req.PollEvery); err != nil {
			return err
		}
	}
}

// once is one look; an error that may pass is noted and swallowed.
func (t *task) once(ctx context.Context, look func(context.Context) (bool, error)) (bool, error) {
	done, err := look(ctx)
	if err == nil {
		if t.lastErr != nil {
			t.note(t.s, "%s answers again", t.who(t.lastErr))
		}
		t.lastErr = nil
		return done, nil
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	var f final
	if errors.As(err, &f) {
		return false, f.error
	}
	if permanent(err) {
		return false, err
	}
	if t.lastErr == nil {
		what := t.itself()
		if what == "" {
			what = "it is asked again until " + clock(t.deadline)
		}
		t.runner.emit(Event{Type: Note, Step: t.s.ID, Kind: string(t.s.Kind), Node: t.s.Node, Error: err.Error(),
			Text: t.who(err) + " gives no answer now; " + what})
	}
	t.lastErr = err
	return false, nil
}

// who gave no answer.
func (t *task) who(err error) string {
	if errors.Is(err, ErrNoManager) || t.s.Node == "" {
		return "the swarm"
	}
	return t.s.Node
}

// heedInterrupt tells once that the wait goes on all the same.
func (t *task) heedInterrupt() {
	if t.interrupted || !t.stopAsked() {
		return
	}
	if t.q.onData {
		t.emit(Event{Type: Interrupted, Text: "finishes this first and gives the services their scale back; a second interrupt leaves at once, " +
			"and the next apply or plan gives it back"})
		return
	}
	if t.q.shape || t.q.restores || t.s.OnRepository() || t.s.Schedules() {
		t.emit(Event{Type: Interrupted, Text: "finishes this step first; a second interrupt leaves at once, and requeen apply goes on from there"})
		return
	}
	t.emit(Event{Type: Interrupted, Text: "finishes this first, so that no manager stays stopped; " +
		"a second interrupt leaves at once, and the host goes on by itself"})
}

// lookRun asks how far the host's run has come.
func (t *task) lookRun(ctx context.Context) (state.HostRun, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	st, found, err := t.Hosts.RunStatus(ctx, t.s.Node, t.q.id)
	if err == nil && found {
		t.status = st
	}
	return st, found, err
}

// isBack asks whether the manager is seen again.
func (t *task) isBack(ctx context.Context) (ok bool, seen string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ok, seen, err = t.Hosts.Reachable(ctx, t.s.Node, t.s.NodeID)
	if t.lastSeen = seen; ok {
		t.lastSeen = ""
	}
	return ok, seen, err
}

// within bounds an effect by what is left of the step's time.
func (t *task) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, max(callTimeout, t.deadline.Sub(t.Clock.Now())))
}

// dead tells that the unit has ended, seen over a few seconds.
func (t *task) dead(st state.HostRun) bool {
	if st.UnitActive {
		t.deadSince = time.Time{}
		return false
	}
	if t.deadSince.IsZero() {
		t.deadSince = t.Clock.Now()
	}
	return t.Clock.Now().Sub(t.deadSince) >= deadAfter
}

// knownRun polls until the host has said whether it knows the run.
func (t *task) knownRun(ctx context.Context) (state.HostRun, bool, error) {
	var st state.HostRun
	var found bool
	err := t.poll(ctx, t.s.Node+" tells how far its run has come", func(ctx context.Context) (bool, error) {
		var err error
		st, found, err = t.lookRun(ctx)
		return err == nil, err
	})
	return st, found, err
}

// timedOut is the error of a step whose time has passed.
func (t *task) timedOut(what string) error {
	code, detail := "", "It was not so after "+t.s.Timeout().String()+"."
	remedy := "Run requeen apply again: it goes on from here."
	if t.lastErr != nil {
		code = diag.HostUnreachable
		detail = fmt.Sprintf("It gave no answer in the last part of %s: %v.", t.s.Timeout(), t.lastErr)
		if by := t.itself(); by != "" {
			detail += " " + sentence(by) + "."
		}
	} else if t.status.Phase != "" {
		detail += " The host's run says: " + string(t.status.Phase) + "."
	}
	if t.lastErr == nil && t.lastSeen != "" {
		detail += " " + sentence(t.lastSeen) + "."
	}
	if t.lastErr == nil && t.lastSeen != "" && !t.q.shape && !t.q.onData {
		remedy += " If that stays so while the engine runs, restart it: systemctl restart docker on " + t.s.Node + "."
	}
	if t.s.BringsBack() {
		remedy += t.leaveDown()
	}
	if t.s.Kind == plan.Unlock {
		code = diag.ManagerLeftLocked
		remedy = "Run requeen apply again, or docker swarm unlock on " + t.s.Node + "."
	}
	e := stepError(t.s, code, "Gave up waiting until "+what, detail, remedy, t.lastErr)
	e.timedOut = true
	return e
}

// itself says what the host does without any help; empty where that is not
// known.
func (t *task) itself() string {
	by, ok := t.rescueBy()
	switch {
	case !ok:
		return ""
	case by.Before(t.Clock.Now()):
		return "its own unit was to start the engine again by " + clock(by)
	case t.portRun(t.s).Autolocked:
		return "its own unit goes on: the engine is started and unlocked by the host itself, started at the latest by " + clock(by)
	}
	return "its own unit goes on: the engine is started again by the host itself by " + clock(by)
}

// sentence begins a clause with a capital letter.
func sentence(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}
