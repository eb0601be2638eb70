//go:build lab

package scenario

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/lab"
	"github.com/requeen/requeen/internal/raftdir"
)

func TestRecoveryRefusedOn28(t *testing.T) {
	r := newStories(t, lab.Options{Name: "f28", Suite: "sid", Managers: 3, Workers: 1})
	r.tell("what can't be opened is refused, and then opens", (*swarm).refusesThenRestores)
	r.tell("every disk is new, and so is what is stored", (*swarm).refusesOnEmptyDisks)
	r.tell("auto-locked: another unlock key", (*swarm).refusesOtherKey)
	if torture() {
		r.tell("auto-locked: the key is rotated, and the restore cut", (*swarm).rotatedAndCut)
	}
	r.tell("the backup's node certificate has expired", (*swarm).expiredRestored)
}

// harm is one thing that makes a backup unusable, and how it is put right.
type harm struct {
	what  string
	do    func()
	mend  func()
	words []string // of the refusal
}

// refusesThenRestores asks for a restore of a living swarm, finds each harm
// refused, and then applies the same plan.
func (s *swarm) refusesThenRestores() {
	s.t.Helper()
	s.ownIdentity()
	s.does("apply", "-auto-approve")
	s.allBack()
	before := s.holdings("m1")
	good := s.oneVerifiedBackup().ID
	engines := s.engines()
	p := s.restorePlan("latest")
	for _, h := range append(s.identityHarms(), s.archiveHarms(good)...) {
		h.do()
		s.refuses(append(h.words, "Nothing was stopped"), "apply", "-digest", p.Digest, "latest.plan")
		s.untouched(h.what, engines)
		h.mend()
	}
	bad := s.withoutCertificate(good)
	s.refuses([]string{"RQ225", "certificates/swarm-node.crt", "Choose another backup"}, "plan", "-restore="+bad)
	hidden := s.identityHarms()[0]
	hidden.do() // what is planned where nothing can be opened is opened by apply
	other := s.restorePlan(bad)
	hidden.mend()
	s.refuses([]string{"RQ112", "certificates/swarm-node.crt", "Use another backup", "Nothing was stopped"}, "apply", "-digest", other.Digest, bad+".plan")
	s.untouched("a backup without its node certificate", engines)
	must(s.t, os.RemoveAll(s.backupFile(bad)))
	s.does("apply", "-digest", p.Digest, "latest.plan")
	s.recovered(before, "w1")
	s.nextPlanBacksUp()
}

// refusesOnEmptyDisks has every disk wiped and the backup truncated before anybody
// plans; once the backup is whole again, it is restored.
func (s *swarm) refusesOnEmptyDisks() {
	s.t.Helper()
	s.does("apply", "-auto-approve")
	s.allBack()
	before := s.holdings("m1")
	b := s.oneVerifiedBackup()
	s.loses(managerNames...)
	engines := s.engines()
	h := s.truncated(b.ID)
	h.do()
	s.refuses(h.words, "plan", "-out", "recovery.plan")
	s.refuses(h.words, "plan", "-restore="+b.ID)
	s.untouched("a truncated archive", engines)
	h.mend()
	p := s.plans("restore", "")
	flip := s.flipped(b.ID)
	flip.do()
	s.refuses(append(flip.words, "Nothing was stopped"), "apply", "-digest", p.Digest, "recovery.plan")
	s.untouched("a flipped bit", engines)
	flip.mend()
	s.does("apply", "-digest", p.Digest, "recovery.plan")
	s.recovered(before, "w1")
	s.nextPlanBacksUp()
}

// refusesOtherKey goes back to a backup from before the unlock key was rotated: the
// key of now does not open it, and the other managers are sealed with that.
func (s *swarm) refusesOtherKey() {
	s.t.Helper()
	key := s.locks()
	s.does("apply", "-auto-approve")
	s.allBack()
	before := s.holdings("m1")
	engines := s.engines()
	file := filepath.Join(s.dir, "unlock-key")
	p := s.restorePlan("latest")
	must(s.t, os.WriteFile(file, []byte(s.rotates()+"\n"), 0o600))
	s.refuses([]string{"RQ205", "cluster.unlock_key", "fingerprint", "Nothing was stopped"}, "apply", "-digest", p.Digest, "latest.plan")
	s.untouched("another unlock key", engines)
	must(s.t, os.WriteFile(file, []byte(key+"\n"), 0o600))
	s.does("apply", "-digest", p.Digest, "latest.plan")
	s.recovered(before, "w1")
	s.lockedAgain(key)
}

// rotatedAndCut goes back to before the unlock key was rotated, and is killed once
// the leader is held: on another machine nobody knows the key that the others are
// sealed with. They join anew.
func (s *swarm) rotatedAndCut() {
	s.t.Helper()
	key := s.locks()
	s.does("apply", "-auto-approve")
	s.allBack()
	before := s.holdings("m1")
	s.rotates()
	p := s.restorePlan("latest")
	held := 0
	for i, step := range p.Steps {
		if step.Kind == "hold" {
			held = i + 1
		}
	}
	if held == 0 {
		s.t.Fatalf("the plan holds nobody: %+v", p.Steps)
	}
	// A begin, then an intent and an outcome of each step.
	r := s.runWith([]string{fmt.Sprintf("%s=%d", killVariable, 1+2*held)}, "apply", "-digest", p.Digest, "latest.plan")
	if r.status != -1 {
		s.t.Fatalf("apply was not killed: exit %d", r.status)
	}
	s.plaintextGoes()
	must(s.t, os.RemoveAll(s.journal))
	p = s.restorePlan("latest")
	// The backup at its end was to be of a manager with its old node ID.
	s.refuses([]string{"RQ403", "Nothing further was begun"}, "apply", "-digest", p.Digest, "latest.plan")
	s.plansToTheEnd()
	s.recovered(before, "w1")
	s.lockedAgain(key)
}

// restorePlan asks for a restore outright; the plan's file is named after it.
func (s *swarm) restorePlan(backup string) recoveryPlan {
	s.t.Helper()
	s.does("plan", "-restore="+backup, "-out", backup+".plan")
	return s.readPlan(backup + ".plan")
}

// ownIdentity has the configuration name an identity file of the test's own, which
// can be changed without another configuration.
func (s *swarm) ownIdentity() {
	s.t.Helper()
	old := filepath.Join(s.lab.Dir(), "identity.txt")
	data, err := os.ReadFile(old)
	must(s.t, err)
	file := filepath.Join(s.dir, "identity.txt")
	must(s.t, os.WriteFile(file, data, 0o600))
	s.edit(old, file)
}

func (s *swarm) identityHarms() []harm {
	s.t.Helper()
	file := filepath.Join(s.dir, "identity.txt")
	data, err := os.ReadFile(file)
	must(s.t, err)
	mend := func() { must(s.t, os.WriteFile(file, data, 0o600)) }
	return []harm{
		{"the identity's file is not there", func() { must(s.t, os.Remove(file)) }, mend, []string{file, "no such file", "set identity in the repository block"}},
		{"an identity that is no recipient", func() {
			must(s.t, os.Remove(file))
			out, err := exec.Command("age-keygen", "-o", file).CombinedOutput()
			if err != nil {
				s.t.Fatalf("%v: %s", err, out)
			}
		}, mend, []string{file, "belongs to none of the recipients", "find the identity"}},
	}
}

func (s *swarm) archiveHarms(id string) []harm {
	s.t.Helper()
	return []harm{s.truncated(id), s.flipped(id)}
}

func (s *swarm) truncated(id string) harm {
	s.t.Helper()
	return s.damage(id, "a truncated archive", func(data []byte) []byte { return data[:len(data)/2] })
}

func (s *swarm) flipped(id string) harm {
	s.t.Helper()
	return s.damage(id, "a flipped bit", func(data []byte) []byte { data[len(data)/2] ^= 1; return data })
}

func (s *swarm) damage(id, what string, change func([]byte) []byte) harm {
	s.t.Helper()
	file := s.backupFile(id, "swarm.tar.zst.age")
	data, err := os.ReadFile(file)
	must(s.t, err)
	return harm{what,
		func() { must(s.t, os.WriteFile(file, change(append([]byte(nil), data...)), 0o600)) },
		func() { must(s.t, os.WriteFile(file, data, 0o600)) },
		[]string{id, "swarm.tar.zst.age"}}
}

func (s *swarm) backupFile(id string, elem ...string) string {
	return filepath.Join(append([]string{s.repository(), s.lab.Name(), id}, elem...)...)
}

// rotates gives the swarm another unlock key, and waits until every manager is
// sealed with it.
func (s *swarm) rotates() string {
	s.t.Helper()
	now := s.on("m1", "docker swarm unlock-key --rotate -q")
	s.eventually(time.Minute, "every node key to be sealed with the new key", func() (bool, error) {
		for _, m := range managerNames {
			data, err := os.ReadFile(s.lab.Disk(m, "swarm", "certificates", "swarm-node.key"))
			if err != nil || raftdir.KeyOpens(data, []byte(now)) != nil {
				return false, err
			}
		}
		return true, nil
	})
	return now
}

// engines tells of each manager's engine which start of it runs, and what
// recoveries have on the host.
func (s *swarm) engines() map[string]string {
	s.t.Helper()
	seen := map[string]string{}
	for _, m := range managerNames {
		seen[m] = s.on(m, "systemctl show -p InvocationID -p ActiveEnterTimestamp -p ActiveState -p NRestarts docker.service docker.socket; ls -d /var/lib/requeen/recoveries/* /var/lib/docker/swarm.requeen-* 2>/dev/null; true")
	}
	return seen
}

// untouched says that a refusal stopped no engine and left nothing.
func (s *swarm) untouched(what string, before map[string]string) {
	s.t.Helper()
	for node, now := range s.engines() {
		if now != before[node] {
			s.t.Errorf("%s: %s was touched:\nbefore %s\nafter  %s", what, node, before[node], now)
		}
	}
	s.nothingHeld()
	if r := s.run("status"); strings.Contains(r.both(), "unfinished") {
		s.t.Errorf("%s: status speaks of an unfinished run, and nothing was begun:\n%s", what, r.both())
	}
}
