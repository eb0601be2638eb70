package plan

import (
	"path/filepath"
	"strings"

	"github.com/requeen/requeen/internal/diag"
)

// rotateKey makes the unlock key anew where a restore has brought an old one back,
// which others may know since (safety rule 14), or where a forced cluster asks for
// it. Nobody but the engine can choose a key, so it is made only where there is a
// place for it: a new key that nobody kept locks every manager out for good.
func (p *planner) rotateKey(target *node, survivors []*node) {
	r := p.plan.Recovery
	want := r.Rung == RungRestore
	if asked := p.w.rules().RotateUnlockKey; asked != nil {
		want = *asked
	}
	if !want || !r.Autolock && !autolockedBefore(survivors) {
		return
	}
	old, why := "the old one", "as declared"
	if r.Rung == RungRestore {
		old, why = "the one of the backup's time", "for the one of the backup's time may be known to others since"
	}
	to, lacking := p.keyTo()
	if to == nil {
		p.hazard(diag.UnlockKeyKept, 0, target.cfg.Name, "The unlock key is not made anew, since %s: it stays %s, and opens the managers for whoever has it", lacking, old)
		return
	}
	s := p.step(target, RotateUnlockKey, Safe, keyTimeout, "The unlock key is made anew, %s. It is printed nowhere; it %s. From then on cluster.unlock_key has to give the new one", why, to.words())
	s.KeyTo = to
}

// words say where the key goes, as the end of a sentence.
func (to *KeyTo) words() string {
	if to.Command != "" {
		return "goes to the standard input of this command, run where requeen runs: `" + to.Command + "`"
	}
	return "is written to " + to.File + ", encrypted to the recipients of repository " + to.Repository
}

// autolockedBefore tells whether what a recovery is made of was of an auto-locked
// swarm: a prepared directory, which a cut run has put in place, is not sealed.
func autolockedBefore(survivors []*node) bool {
	for _, s := range survivors {
		if log := s.host.SwarmDir.Raft; log != nil && log.Autolock {
			return true
		}
	}
	return false
}

// keyTo is where a rotated unlock key goes, nil with the reason where there is no
// place. In clear it is written nowhere, so a file needs a repository with
// recipients: the one that the recovery uses, else another.
func (p *planner) keyTo() (to *KeyTo, lacking string) {
	declared := p.w.rules().UnlockKeyTo
	switch {
	case declared.Command != "":
		return &KeyTo{Command: declared.Command}, ""
	case declared.File == "":
		return nil, "recovery has no unlock_key_to"
	}
	var names []string
	if p.plan.Recovery != nil {
		names = append(names, p.plan.Recovery.Repository)
	}
	for _, r := range p.w.cfg.Repositories {
		names = append(names, r.Name)
	}
	for _, name := range names {
		if r := p.w.cfg.Repository(name); r != nil && !r.Plaintext && len(r.Recipients) > 0 {
			return &KeyTo{File: within(p.w.cfg.Dir, declared.File), Repository: name}, ""
		}
	}
	return nil, "no repository has recipients to whom unlock_key_to's file could be encrypted"
}

// deliverKey plans the delivery of a key that a recovery made anew before it was cut:
// until then only the live managers know it. Under that recovery's own ID it is not
// made anew once more.
func (p *planner) deliverKey() {
	cut := p.w.st.Swarm.KeyUndelivered
	leader := p.leader()
	if cut == "" || leader == nil {
		return
	}
	if p.plan.Recovery == nil {
		p.begin(RungGrow, "").ID = cut
	}
	to, lacking := p.keyTo()
	if to == nil {
		p.plan.Recovery = p.onlyWithSteps()
		p.unmet(Unmet{Code: diag.KeyNotDelivered, Goal: "the unlock key is kept somewhere",
			Reason: sentence("The recovery " + cut + " made the unlock key anew and was cut, so only the live managers know it; and " + lacking),
			Remedy: "Add recovery { unlock_key_to }, and apply. Until then, on a manager: docker swarm unlock-key, and keep what it prints."})
		return
	}
	s := p.step(leader, RotateUnlockKey, Safe, keyTimeout, "The recovery %s made the unlock key anew and was cut before the key had reached its place: only the live managers know it. It %s", cut, to.words())
	s.KeyTo = to
}

// onlyWithSteps is the plan's recovery, nil where no step belongs to it.
func (p *planner) onlyWithSteps() *Recovery {
	for _, s := range p.plan.Steps {
		if s.Recovery != "" {
			return p.plan.Recovery
		}
	}
	return nil
}

// keyWhen says which key seals a backup of this plan.
func (p *planner) keyWhen() string {
	for _, s := range p.plan.Steps {
		if s.Kind == RotateUnlockKey {
			return "this plan makes anew"
		}
	}
	return "is valid now"
}

// within gives a path relative to the directory where it lies in it, so that the
// plan is the same in another checkout.
func within(dir, path string) string {
	rel, err := filepath.Rel(dir, path)
	if dir == "" || err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return path
	}
	return rel
}
