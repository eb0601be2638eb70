//go:build lab

package scenario

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/lab"
	"github.com/requeen/requeen/internal/repository"
)

// kept is a swarm of three whose backups are signed and lie in a bucket of a real S3
// server, with copies on a disk that this machine and m2 see.
type kept struct {
	*swarm
	bucket, nas string // where the objects of the two repositories lie
}

// TestKeptOn28 tells of one swarm what its backups are good for, one story after the
// other.
func TestKeptOn28(t *testing.T) {
	s := newSwarm(t, lab.Options{Name: "t28", Suite: "sid", Managers: 3, Workers: 1})
	k := s.keptTwice()
	tell := func(name string, story func(*kept)) {
		t.Run(name, func(t *testing.T) {
			s.t = t
			story(k)
		})
	}
	tell("copies", (*kept).copies)
	tell("what differs", (*kept).differs)
	tell("data", (*kept).data)
	if torture() {
		tell("killed while two nodes are read", (*kept).cutWhileRead)
	}
	tell("schedules that meet", (*kept).schedules)
	if torture() {
		tell("everything is lost", (*kept).lost)
	}
}

// keptTwice declares the bucket and the disk.
func (s *swarm) keptTwice() *kept {
	s.t.Helper()
	k := &kept{swarm: s}
	node, err := s.lab.Node("m2")
	must(s.t, err)
	url, bucket := s.bucketAt(node.Address[:strings.LastIndex(node.Address, ".")] + ".1") // this machine, as the nodes see it
	s.sharedRepository("m2")
	k.bucket, k.nas = filepath.Join(bucket, s.lab.Name()), filepath.Join(s.lab.Disk("m2", "repository"), s.lab.Name())
	private, public, err := repository.NewSignKey(rand.Reader)
	must(s.t, err)
	must(s.t, os.WriteFile(filepath.Join(s.dir, "sign.key"), []byte(private+"\n"), 0o600))

	text, err := os.ReadFile(filepath.Join(s.dir, "lab.rq.hcl"))
	must(s.t, err)
	head, rest, _ := strings.Cut(string(text), `repository "local" {`)
	repo, rest, _ := strings.Cut(rest, "\n}\n")
	repo = fmt.Sprintf("{%s\n  verify_key = [%q]\n  sign_key   = \"sign.key\"\n}\n", repo, public)
	nasURL := repo[strings.Index(repo, "file://"):]
	nasURL, _, _ = strings.Cut(nasURL, `"`)
	rest = strings.Replace(rest, `repository = "local"`, `copies     = ["offsite", "nas"]`, 1)
	s.configure(head + `repository "offsite" ` + strings.Replace(repo, nasURL, url, 1) + "\n" + `repository "nas" ` + repo + rest +
		"\nrecovery {\n  allow = [\"start\", \"unlock\", \"force_new_cluster\", \"restore\"]\n}\n")
	return k
}

// listed is what backup list says of a repository.
type listed struct {
	Name    string
	Backups []backup
}

// lists are the two repositories.
func (k *kept) lists() (offsite, nas []backup) {
	k.t.Helper()
	var list []listed
	must(k.t, json.Unmarshal([]byte(k.does("backup", "list", "-json").stdout), &list))
	if len(list) != 2 || list[0].Name != "nas" || list[1].Name != "offsite" {
		k.t.Fatalf("the repositories that are listed: %+v", list)
	}
	return list[1].Backups, list[0].Backups
}

// bothHold says that each repository holds the same backups, whole and verified, and
// gives them, newest first.
func (k *kept) bothHold(n int) []backup {
	k.t.Helper()
	offsite, nas := k.lists()
	ids := func(list []backup) (ids []string) {
		for _, b := range list {
			if b.Problem != nil || b.Verified == "" {
				k.t.Errorf("%s is %q, its problem is %+v", b.ID, b.Verified, b.Problem)
			}
			ids = append(ids, b.ID)
		}
		return ids
	}
	if !slices.Equal(ids(offsite), ids(nas)) || len(nas) != n {
		k.t.Fatalf("want the same %d backups in both, have %v and %v", n, ids(offsite), ids(nas))
	}
	return nas
}

// kindsOf are the steps of a plan in words.
func kindsOf(p recoveryPlan) string {
	var kinds []string
	for _, step := range p.Steps {
		kinds = append(kinds, step.Kind)
	}
	return strings.Join(kinds, " ")
}
