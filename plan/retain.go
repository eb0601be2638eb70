package plan

import (
	"time"

	"github.com/requeen/requeen/internal/state"
)

const retainTimeout = 60 * time.Second

// retain plans, before anything is stopped, that the anonymous volumes stay which
// the new cluster's first word would remove: nil where what it removes could not
// be found out.
func (p *planner) retain(store *state.Store) {
	if store == nil {
		return
	}
	volumes := map[string]int{}
	for _, e := range p.endings(store) {
		volumes[e.Node] += len(e.AnonymousVolumes)
	}
	for _, n := range p.w.nodes {
		if count := volumes[n.cfg.Name]; count > 0 {
			p.step(n, Retain, Safe, retainTimeout, "%s of containers that the new cluster removes with their volumes: a container that is never started mounts each by its name, so that its engine leaves them. Nothing of what runs is touched",
				counted(count, "anonymous volume", "anonymous volumes"))
		}
	}
}
