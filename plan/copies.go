package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
)

const copyTimeout = 3600 * time.Second

// Copying is what a copy step copies.
type Copying struct {
	From string `json:"from"` // the repository that holds it
	// ID is the backup's; empty where it is the one that the plan makes.
	ID string `json:"id,omitempty"`
}

// OnRepository tells whether a step is on a repository, and on no node.
func (s Step) OnRepository() bool { return s.Kind == PruneBackups || s.Kind == CopyBackup }

// place finds which of a block's repositories can be used. A new backup is stored in
// the first of them: where it can't be looked at, the next one stands in for it.
func (w *world) place(n *need) {
	for _, name := range n.block.Places() {
		if r := w.st.Repository(name); r != nil && r.Looked == state.Present {
			n.places = append(n.places, r)
		} else {
			n.unlooked = append(n.unlooked, name)
		}
	}
	if len(n.places) > 0 {
		n.repo = n.places[0]
		n.block.Repository = n.repo.Name
	}
}

// newestOf finds the newest backup that counts in any of a block's repositories, and
// the newest that does not, each with its place.
func (n *need) newestOf(m measure) (out *state.Backup, at, why string) {
	for _, r := range n.places {
		b, o, fault := m.newest(r.Backups)
		if r == n.repo {
			n.here = b
		}
		if b != nil && (n.newest == nil || b.TakenAt.After(n.newest.TakenAt)) {
			n.newest, n.holder = b, r
		}
		if o != nil && (out == nil || o.TakenAt.After(out.TakenAt)) {
			out, at, why = o, r.Name, fault
		}
	}
	return out, at, why
}

// lacking are the repositories of a block that do not hold its newest backup, whole
// and verified.
func (n *need) lacking(m measure) []*state.Repository {
	var list []*state.Repository
	for _, r := range n.places {
		holds := slices.ContainsFunc(r.Backups, func(b state.Backup) bool {
			fault, _ := m.fault(&b)
			return b.ID == n.newest.ID && fault == ""
		})
		if !holds {
			list = append(list, r)
		}
	}
	return list
}

// holds tells whether any repository of a block has the backup of a run.
func (n *need) holds(id string) bool {
	return slices.ContainsFunc(n.places, func(r *state.Repository) bool { return stored(r, id) })
}

// where are the block's repositories in words.
func (n *need) where() string {
	if len(n.block.Copies) == 0 {
		return "repository " + n.block.Repository
	}
	return "each of the repositories " + listing(n.block.Copies)
}

func placeNames(list []*state.Repository) []string {
	var out []string
	for _, r := range list {
		out = append(out, r.Name)
	}
	return out
}

func copyGoal(n *need, to string) string {
	return fmt.Sprintf("backup %q: a copy in repository %s", n.block.Name, to)
}

// unlookedCopies are the unmet goals of the repositories that can't be looked at while
// another one of the same block can.
func (p *planner) unlookedCopies(n *need) {
	for _, name := range n.unlooked {
		reason, fix := "It was not looked at", ""
		if r := p.w.st.Repository(name); r != nil && r.Problem != nil {
			reason, fix = r.Problem.Text, r.Problem.Remedy
		}
		p.unmet(Unmet{Code: diag.RepositoryUnusable, Goal: copyGoal(n, name),
			Reason: fmt.Sprintf("Repository %s can't be used, so whether it holds backup %s can't be said, and no copy can be stored there: %s", name, n.block.Name, sentence(reason)),
			Remedy: or(fix, remedy(diag.RepositoryUnusable)) + " The next plan then copies what is missing there, and stops nobody for it."})
	}
}

// copies plans that every repository of a block gets what is in one of them: the
// backup that the plan makes, or the newest one that is young enough.
func (p *planner) copies(needs []*need) {
	for _, n := range p.wanted(needs) {
		switch {
		case len(n.block.Copies) == 0 || n.repo == nil:
		case n.met:
			for _, to := range n.places[1:] {
				p.copyTo(n, to, Copying{From: n.repo.Name, ID: n.adopted})
			}
		case n.due || n.newest == nil || p.plan.Recovery != nil || p.in.Restore != "":
		default:
			for _, to := range n.missing {
				p.copyTo(n, to, Copying{From: n.holder.Name, ID: n.newest.ID})
			}
		}
	}
}

func (p *planner) copyTo(n *need, to *state.Repository, c Copying) {
	if u := p.copyRefused(n, to, c); u != nil {
		p.unmet(*u)
		return
	}
	why := fmt.Sprintf("Backup %s counts once each of its repositories holds it: what is stored in %s then is copied into %s", n.block.Name, c.From, to.Name)
	if !n.met {
		why = fmt.Sprintf("Repository %s does not hold backup %s, %s old, which is in %s and young enough: it is copied, and no manager is stopped for it",
			to.Name, c.ID, span(max(p.in.Now.Sub(n.newest.TakenAt), 0)), c.From)
	}
	how := "its objects as they are"
	if !p.sameForm(n, c, to.Name) {
		how = "opened with the identity of " + c.From + ", and stored as " + to.Name + " declares"
	}
	p.append(Step{Kind: CopyBackup, Backup: n.block.Name, Repository: to.Name, Copy: &c, Risk: Safe, TimeoutSeconds: seconds(copyTimeout),
		Reason: sentence(why + ", " + how + ", every digest compared, the manifest last")})
}

// copyRefused is the unmet goal of a copy that can't be made, nil where it can.
func (p *planner) copyRefused(n *need, to *state.Repository, c Copying) *Unmet {
	goal := copyGoal(n, to.Name)
	if p.in.NoLock {
		return &Unmet{Code: diag.LockNeeded, Goal: goal, Reason: fmt.Sprintf("A copy is made only under the lock of repository %s.", to.Name), Remedy: remedy(diag.LockNeeded)}
	}
	for i := range to.Backups {
		if b := &to.Backups[i]; c.ID != "" && b.ID == c.ID {
			fault, _ := p.w.measure(n.block.Name, p.in.Now).fault(b)
			return &Unmet{Code: diag.BackupNotCopied, Goal: goal,
				Reason: sentence(fmt.Sprintf("Repository %s holds backup %s already, and it does not count because %s; nothing is written over", to.Name, b.ID, or(fault, "it is another one"))),
				Remedy: remedy(diag.BackupNotCopied)}
		}
	}
	if why := p.cannotCopy(n, c, to.Name); why != "" {
		return &Unmet{Code: diag.BackupNotCopied, Goal: goal, Reason: sentence(fmt.Sprintf("From repository %s into %s nothing can be copied: %s", c.From, to.Name, told(why))), Remedy: remedy(diag.BackupNotCopied)}
	}
	return nil
}

// sameForm tells whether a backup's stored objects serve in another repository as they
// are.
func (p *planner) sameForm(n *need, c Copying, to string) bool {
	from, into := p.w.cfg.Repository(c.From), p.w.cfg.Repository(to)
	if from == nil || into == nil {
		return true
	}
	recipients, plain := from.Recipients, from.Plaintext
	if !n.met {
		recipients, plain = n.newest.Recipients, n.newest.PlainStored
	}
	if plain || into.Plaintext {
		return plain && into.Plaintext
	}
	return sameSet(publicKeys(recipients), publicKeys(into.Recipients))
}

// publicKeys are recipients without the comments of ssh keys, as a manifest has them.
func publicKeys(list []string) []string {
	var out []string
	for _, s := range list {
		parts := strings.Fields(s)
		out = append(out, strings.Join(parts[:min(2, len(parts))], " "))
	}
	return out
}

// cannotCopy says why what one repository holds can't be made a backup in another, ""
// where it can be.
func (p *planner) cannotCopy(n *need, c Copying, to string) string {
	from, into := p.w.cfg.Repository(c.From), p.w.cfg.Repository(to)
	if from == nil || into == nil {
		return "one of them is not declared"
	}
	same := p.sameForm(n, c, to)
	if !same && neverOpened(from) {
		return fmt.Sprintf("their recipients differ, and %s has no identity to open it with", from.Name)
	}
	if !into.Signs() || same && from.Signs() && sameSet(from.VerifyKeys, into.VerifyKeys) {
		return ""
	}
	if !from.Signs() {
		return fmt.Sprintf("%s has a verify_key and %s has none, and what no key vouches for is never signed afterwards", into.Name, from.Name)
	}
	return p.cannotSign(to)
}

// copyHazards says what a copy into a repository means.
func (p *planner) copyHazards(s Step) {
	if r := p.w.cfg.Repository(s.Repository); r != nil && r.Plaintext {
		p.hazard(diag.PlaintextBackup, s.ID, "", "Repository %s is declared plaintext: whoever can read it has the swarm's CA key, secrets and join tokens", s.Repository)
	}
}

// intoWords are the repositories that a plan stores a new backup in.
func (p *planner) intoWords(n *need) string {
	list := []string{n.block.Repository}
	for _, s := range p.plan.Steps {
		if s.Kind == CopyBackup && s.Backup == n.block.Name {
			list = append(list, s.Repository)
		}
	}
	return listing(list)
}

// copySummary says which backups that were there are copied.
func (p *planner) copySummary(needs []*need) string {
	var parts []string
	for _, s := range p.plan.Steps {
		made := slices.ContainsFunc(needs, func(n *need) bool { return n.met && n.block.Name == s.Backup })
		if s.Kind == CopyBackup && !made {
			parts = append(parts, fmt.Sprintf("copy %s of %s from %s into %s", s.Copy.ID, s.Backup, s.Copy.From, s.Repository))
		}
	}
	return strings.Join(parts, "; ")
}

// CopyNow is the backup that a copy step copies, by what its source holds now: the one
// that it names, or where the plan made none since somebody else had, the newest that
// counts. It is empty where there is none.
func CopyNow(p *Plan, s Step, st *state.State) string {
	switch {
	case s.Copy == nil:
		return ""
	case s.Copy.ID != "":
		return s.Copy.ID
	}
	r := st.Repository(s.Copy.From)
	if r == nil {
		return ""
	}
	m := measure{cluster: p.Cluster, block: s.Backup, swarmID: p.SwarmID, epoch: p.Epoch, epochKnown: len(p.Fingerprint.Managers) > 0 && p.Recovery == nil, now: st.ObservedAt}
	best, _, _ := m.newest(r.Backups)
	if best == nil {
		return ""
	}
	return best.ID
}

// placesFirst are all repositories that were observed, those of the backup blocks
// first, in the order in which each names them.
func (w *world) placesFirst() []*state.Repository {
	var list []*state.Repository
	add := func(name string) {
		if r := w.st.Repository(name); r != nil && !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	for _, b := range sortedBackups(w.cfg) {
		for _, name := range b.Places() {
			if len(b.Copies) > 0 {
				add(name)
			}
		}
	}
	for i := range w.st.Repositories {
		add(w.st.Repositories[i].Name)
	}
	return list
}
