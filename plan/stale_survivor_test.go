package plan_test

import (
	"testing"

	"github.com/requeen/requeen/plan"
)

// The chosen survivor may write on until it is held; what it had may not be gone, nor
// may another's log have grown.
func TestStaleSurvivor(t *testing.T) {
	in := caseInput(t, "force-wiped")
	p, err := plan.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	log := in.State.Host(p.Recovery.Node).SwarmDir.Raft
	for _, c := range []struct {
		what         string
		term, index  uint64
		stale, other bool
	}{
		{"as it was", log.Term, log.Index, false, false},
		{"one entry more", log.Term, log.Index + 1, false, false},
		{"one entry less", log.Term, log.Index - 1, true, false},
		{"another term", log.Term + 1, log.Index + 1, true, false},
		{"one entry more, of one that was not chosen", log.Term, log.Index + 1, true, true},
	} {
		was := *log
		log.Term, log.Index = c.term, c.index
		chosen := p.Recovery.Node
		if c.other {
			p.Recovery.Node = "m2"
		}
		if got := plan.IsStale(plan.Stale(p, in.State, plan.Done{})); got != c.stale {
			t.Errorf("%s: stale is %v, want %v", c.what, got, c.stale)
		}
		*log, p.Recovery.Node = was, chosen
	}
}
