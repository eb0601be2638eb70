//go:build lab

package scenario

import (
	"os"
	"path/filepath"
	"strings"
)

// copies has one backup in two places, damages and loses it in one of them, and has it
// back there without a manager that is stopped.
func (k *kept) copies() {
	k.on("m1", "docker network create -d overlay old-net >/dev/null") // for the story that follows
	k.does("apply", "-auto-approve")
	k.allBack()
	b := k.bothHold(1)[0]
	if r := k.does("backup", "list"); strings.Count(r.stdout, b.ID) != 2 {
		k.t.Errorf("backup list does not name %s twice:\n%s", b.ID, r.stdout)
	}
	k.nothingToDo()
	k.nothingLeft()
	started := k.engines()

	k.archiveIsCut(b.ID)
	must(k.t, os.RemoveAll(filepath.Join(k.bucket, b.ID)))
	k.copiedBack("nas", b.ID)
	must(k.t, os.RemoveAll(k.bucket)) // with its lock
	k.copiedBack("nas", b.ID)
	if torture() {
		must(k.t, os.RemoveAll(filepath.Join(k.nas, b.ID)))
		k.copiedBack("offsite", b.ID)
	}
	k.untouched("copied", started)
}

// archiveIsCut has the first repository's archive altered, and then cut: a restore is
// planned from the other one, and what is there is named and not written over.
func (k *kept) archiveIsCut(id string) {
	file := filepath.Join(k.bucket, id, "swarm.tar.zst.age")
	whole, err := os.ReadFile(file)
	must(k.t, err)
	altered := append([]byte(nil), whole...)
	altered[len(altered)/2] ^= 1
	must(k.t, os.WriteFile(file, altered, 0o600))
	k.restoredFromNas("altered.plan")
	must(k.t, os.WriteFile(file, whole[:len(whole)/2], 0o600))
	k.refuses([]string{"Repository offsite holds backup " + id + " already, and it does not count", "nothing is written over"}, "plan")
	k.restoredFromNas("cut.plan")
}

func (k *kept) restoredFromNas(file string) {
	k.t.Helper()
	p := k.planFile(file, "-restore=latest")
	if p.Recovery == nil || p.Recovery.Repository != "nas" {
		k.t.Errorf("with the bucket's archive damaged, the restore is %+v", p.Recovery)
	}
}

// copiedBack says that the next plan copies a backup and does nothing else.
func (k *kept) copiedBack(from, id string) {
	k.t.Helper()
	p := k.planFile("copy.plan")
	if kindsOf(p) != "copy" || len(p.Unmet) != 0 {
		k.t.Fatalf("want a copy, have %+v and unmet %+v", p.Steps, p.Unmet)
	}
	if r := k.does("show", "copy.plan"); !strings.Contains(strings.Join(strings.Fields(r.stdout), " "), id) || !strings.Contains(r.stdout, from) {
		k.t.Errorf("the plan does not name %s in %s:\n%s", id, from, r.stdout)
	}
	k.does("apply", "copy.plan")
	k.bothHold(1)
	k.nothingToDo()
}
