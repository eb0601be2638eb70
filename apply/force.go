package apply

import (
	"context"
	"strings"

	"github.com/requeen/requeen/internal/diag"
)

func probeLeads(ctx context.Context, t *task) (bool, string, error) {
	leads, seen, err := t.Recoverer.Leads(ctx, t.operation(t.s.Node))
	if err != nil || !leads {
		return false, "", nil // it is found out by doing it
	}
	return true, seen, nil
}

// guardForce probes once more who was only said to be dead, before anything is
// stopped and again before the cluster is forced: a forced cluster evicts every old
// manager that it can reach, also a live majority (safety rules 8, 10).
func guardForce(ctx context.Context, t *task) error {
	answers, err := t.Recoverer.Answering(ctx, t.operation(t.s.Node))
	if err != nil {
		return stepError(t.s, diag.HostUnreachable, "Whether an old manager answers could not be found out",
			err.Error()+". Nothing was forced.", "Mend what the message names, then run requeen apply again.", err)
	}
	if len(answers) == 0 {
		return t.stillHolds(ctx)
	}
	row, _ := diag.Lookup(diag.ManagerAnswers)
	return stepError(t.s, diag.ManagerAnswers, row.Title, strings.Join(answers, ", ")+" answers at the managers' port. "+row.Meaning, row.Remedy, nil)
}

func forceCluster(ctx context.Context, t *task) error {
	return t.acts(ctx, "Forcing the new cluster", func(ctx context.Context) error { return t.Recoverer.Force(ctx, t.operation(t.s.Node)) })
}

// waitForced waits until the node leads, and compares what the swarm holds with
// what it was made from.
func waitForced(ctx context.Context, t *task) (string, error) {
	op, seen := t.operation(t.s.Node), ""
	err := t.poll(ctx, t.s.Node+" leads", func(ctx context.Context) (bool, error) {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		leads, text, err := t.Recoverer.Leads(call, op)
		seen = text
		return leads, err
	})
	if err != nil {
		return "", err
	}
	missing, compared, err := t.Recoverer.Missing(ctx, op)
	switch {
	case err != nil:
		return "", stepError(t.s, "", "What the swarm holds could not be compared with what "+t.s.Node+" was made of",
			sentence(err.Error())+". The new cluster is made, and its other managers are still held.", "Mend what the message names, then run requeen apply again: it goes on from here.", err)
	case !compared:
		return seen + "; what it holds was not compared, since the source is not at hand any more", nil
	case missing != "":
		row, _ := diag.Lookup(diag.NotRestored)
		return "", stepError(t.s, diag.NotRestored, row.Title, sentence(missing)+".", row.Remedy, nil)
	}
	return seen + ", and holds all that it was made from", nil
}
