//go:build lab

package scenario

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

// databaseImage is a root with a shell and SQLite of Debian's packages.
const databaseImage = `
	mkdir -p root/bin root/data
	cp "$(command -v busybox)" root/bin/busybox
	for name in sh sleep sha256sum; do ln -sf busybox root/bin/$name; done
	for f in "$(command -v sqlite3)" $(ldd "$(command -v sqlite3)" | grep -o '/[^ )]*'); do install -D "$f" "root$f"; done
	tar -C root -c . >database.tar`

// databaseLoad writes a row after the other, each for good before the next.
const databaseLoad = `trap exit TERM
	sqlite3 /data/app.db "pragma journal_mode=wal; create table if not exists t(n integer primary key autoincrement, h text)"
	while :; do sqlite3 /data/app.db "insert into t(h) values(hex(randomblob(200)))"; done`

const databaseVolume = `
  volume "app" {
    node    = "w1"
    volume  = "appdata"
    quiesce = ["db"]
  }
`

// TestData loses an application with its volume, alone and with the whole swarm, and
// has its data back out of a bucket.
func TestData(t *testing.T) {
	s := newSwarm(t, lab.Options{Name: "v6", Suite: "sid", Managers: 1, Workers: 1})
	s.inBucket()
	s.deploysDatabase()
	s.edit("    from = \"follower\"\n  }\n", "    from = \"follower\"\n  }\n"+databaseVolume)
	s.append("\nrecovery {\n  allow = [\"start\", \"unlock\", \"force_new_cluster\", \"restore\"]\n}\n")

	s.leavesOddFiles(s.lab.Disk("w1", "volumes", "appdata", "_data"))
	s.killedWhileQuiet(3)
	s.killedWhileQuiet(5)
	before := s.rows()
	s.does("apply", "-auto-approve")
	s.databaseRuns()
	after := s.rows()
	s.nothingToDo()
	s.nothingLeft()
	s.does("backup", "verify", "latest")

	// The application loses its data, the swarm lives.
	digest := s.digestOf(before)
	s.query("delete from t")
	p := s.planFile("data.plan", "-restore=latest", "-only=volume.app")
	s.does("apply", "-digest", p.Digest, "data.plan")
	s.databaseRuns()
	s.hasBack(before, after, digest)
	s.killedInRestore(4, true, before, after, digest)
	if torture() {
		for n := 1; n <= 6; n++ {
			s.killedInRestore(n, true, before, after, digest)
			s.killedInRestore(n, false, before, after, digest)
		}
	}
	if r := s.run("status"); !strings.Contains(strings.Join(strings.Fields(r.stdout), ""), "requeen-") {
		t.Errorf("status lists nothing that was set aside:\n%s", r.stdout)
	}

	// Every disk is new.
	s.powerCut([]string{"m1", "w1"}, func(n string) error {
		for _, dir := range []string{"swarm", "volumes", "containers"} {
			found, err := filepath.Glob(s.lab.Disk(n, dir+"*"))
			for _, dir := range found {
				if err == nil {
					err = os.RemoveAll(dir)
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	s.recovers("restore", "m1")
	s.allBack()
	s.nothingHeld()
	s.plansToTheEnd() // w1 knows no swarm any more, and joins
	s.databaseRuns()
	s.hasBack(before, after, digest)
	s.hasOddFiles(s.lab.Disk("w1", "volumes", "appdata", "_data"))
}

// deploysDatabase has a database on w1, under load as long as it runs.
func (s *swarm) deploysDatabase() {
	s.t.Helper()
	must(s.t, lab.Install(s.ctx, map[string]string{"sqlite3": "sqlite3", "busybox": "busybox-static"}, func(line string) { s.t.Log(line) }))
	dir := s.t.TempDir()
	build := exec.CommandContext(s.ctx, "sh", "-euc", databaseImage)
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		s.t.Fatalf("the database's image: %v\n%s", err, out)
	}
	image, err := os.ReadFile(filepath.Join(dir, "database.tar"))
	must(s.t, err)
	must(s.t, os.WriteFile(s.lab.Disk("w1", "database.tar"), image, 0o600))
	s.on("w1", "docker import /var/lib/docker/database.tar requeen-lab/database:1 >/dev/null")
	s.on("m1", "docker service create --quiet --detach --no-resolve-image --name db --constraint node.hostname==w1 --restart-delay 1s "+
		"--mount type=volume,source=appdata,target=/data requeen-lab/database:1 sh -c '"+databaseLoad+"' >/dev/null")
	s.databaseRuns()
}

// databaseRuns waits until the swarm sees w1, which it does not for a while after its
// only manager was stopped, and the database is at its scale and answers.
func (s *swarm) databaseRuns() {
	s.t.Helper()
	s.eventually(2*time.Minute, "the database to run", func() (bool, error) {
		node, _ := s.lab.Run(s.ctx, "m1", "timeout 10 docker node ls --filter name=w1 --format '{{.Status}}'")
		out, _ := s.lab.Run(s.ctx, "m1", "timeout 10 docker service ls --filter name=db --format '{{.Replicas}}'")
		if strings.TrimSpace(out) != "1/1" || !strings.Contains(node, "Ready") {
			return false, nil
		}
		_, err := s.asks("select count(*) from t")
		return err == nil, nil
	})
}

// asks has the database's container answer a query.
func (s *swarm) asks(query string) (string, error) {
	out, err := s.lab.Run(s.ctx, "w1", `docker exec "$(docker ps -q -f label=com.docker.swarm.service.name=db | head -n 1)" sqlite3 -cmd '.timeout 5000' /data/app.db "`+query+`"`)
	return strings.TrimSpace(out), err
}

func (s *swarm) query(query string) string {
	s.t.Helper()
	out, err := s.asks(query)
	must(s.t, err)
	return out
}

func (s *swarm) rows() int {
	s.t.Helper()
	n, err := strconv.Atoi(s.query("select count(*) from t"))
	must(s.t, err)
	return n
}

// digestOf is of the first rows, which nobody changes.
func (s *swarm) digestOf(rows int) string {
	s.t.Helper()
	return s.query(fmt.Sprintf("select group_concat(substr(h,1,16)) from (select h from t where n<=%d order by n)", rows))
}

// hasBack says that the database is whole, and has all that was written before the
// backup was begun. What the load has written since it is back follows that of the
// backup without a gap.
func (s *swarm) hasBack(before, after int, digest string) {
	s.t.Helper()
	if out := s.query("pragma integrity_check"); out != "ok" {
		s.t.Errorf("the database is damaged: %s", out)
	}
	if have := s.digestOf(before); have != digest {
		s.t.Errorf("the first %d rows are not what they were", before)
	}
	if out := s.query("select max(n)=count(*) from t"); out != "1" {
		s.t.Error("rows are missing among those that came back")
	}
	if n := s.rows(); n < before {
		s.t.Errorf("%d rows are back, before the backup there were %d, after it %d", n, before, after)
	}
}

// killedWhileQuiet kills apply after a journal write of a backup, and goes on without
// the journal: the service is at its scale again, with no word of it left.
func (s *swarm) killedWhileQuiet(write int) {
	s.t.Helper()
	p := s.planFile("backup.plan")
	r := s.runWith([]string{fmt.Sprintf("%s=%d", killVariable, write)}, "apply", "-digest", p.Digest, "backup.plan")
	if r.status != -1 {
		s.t.Fatalf("apply was not killed: exit %d", r.status)
	}
	must(s.t, os.RemoveAll(s.journal))
	s.t.Logf("killed after write %d, db is at %s", write, s.on("m1", "docker service ls --filter name=db --format '{{.Replicas}}'"))
	p = s.planFile("again.plan")
	s.does("apply", "-digest", p.Digest, "again.plan")
	s.databaseRuns()
	s.unlabelled()
	must(s.t, os.RemoveAll(filepath.Join(s.repository(), s.lab.Name())))
	must(s.t, os.RemoveAll(s.journal))
}

// killedInRestore kills apply after a journal write of a restore of data into the
// living swarm, and goes on from the journal, or without it by new plans.
func (s *swarm) killedInRestore(write int, journal bool, before, after int, digest string) {
	s.t.Helper()
	p := s.planFile("data.plan", "-restore=latest", "-only=volume.app")
	r := s.runWith([]string{fmt.Sprintf("%s=%d", killVariable, write)}, "apply", "-digest", p.Digest, "data.plan")
	if r.status != -1 {
		s.t.Fatalf("apply was not killed after write %d: exit %d", write, r.status)
	}
	if journal {
		s.does("apply", "-digest", p.Digest, "data.plan")
	} else {
		must(s.t, os.RemoveAll(s.journal))
		s.plansToTheEnd()
	}
	s.databaseRuns()
	s.hasBack(before, after, digest)
	s.unlabelled()
}

// unlabelled says that the database has no label of a run any more.
func (s *swarm) unlabelled() {
	s.t.Helper()
	if out := s.on("m1", `docker service inspect db -f '{{json .Spec.Labels}}'`); strings.Contains(out, "io.requeen") {
		s.t.Errorf("db still has the labels %s", out)
	}
}
