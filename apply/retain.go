package apply

import "context"

// retainVolumes keeps the anonymous volumes of the containers that the plan says
// are removed.
func retainVolumes(ctx context.Context, t *task) error {
	return t.acts(ctx, "Retaining anonymous volumes", func(ctx context.Context) error {
		op := t.operation(t.s.Node)
		for _, e := range t.p.Recovery.Containers {
			if e.Node != t.s.Node || len(e.AnonymousVolumes) == 0 {
				continue
			}
			held, err := t.Recoverer.Retain(ctx, op, e.Container, e.AnonymousVolumes)
			switch {
			case err != nil:
				return err
			case held == "":
				t.note(t.s, "%s is gone on %s already: there is nothing to retain", e.Name, t.s.Node)
			default:
				t.note(t.s, "the container %s on %s holds the volumes of %s", held, t.s.Node, e.Name)
			}
		}
		return nil
	})
}
