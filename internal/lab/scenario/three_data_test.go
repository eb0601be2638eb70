//go:build lab

package scenario

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

// shellImage is a root with a shell of Debian's packages.
const shellImage = `
	mkdir -p root/bin root/data root/dump
	cp "$(command -v busybox)" root/bin/busybox
	for name in sh sleep cp; do ln -sf busybox root/bin/$name; done
	tar -C root -c . >shell.tar`

// writesLines is what both services do: a line after the other, each with its number.
const writesLines = `trap exit TERM; n=0; while :; do n=$((n+1)); echo "$HOSTNAME $n" >>/data/log; sleep 0.2; done`

// keptData is of one moment on two nodes, since agent has files on both; what ledger
// dumps is taken while it runs; and two commands never end.
const keptData = `
  volume "ledger" {
    node    = "w1"
    quiesce = ["ledger", "agent"]
  }
  directory "agent" {
    node    = "m3"
    path    = "/var/lib/agent"
    quiesce = ["agent"]
  }
  directory "dump" {
    node = "w1"
    path = "/var/lib/dump"
    before {
      service = "ledger"
      command = ["sh", "-c", "cp /data/log /dump/log"]
    }
    after {
      command = ["sh", "-c", "echo done >>/var/lib/dump.after"]
    }
  }
  directory "slow" {
    node     = "m2"
    path     = "/var/lib/slow"
    timeout  = "2s"
    on_error = "fail"
    before {
      command = ["sleep", "60"]
    }
    after {
      command = ["sh", "-c", "echo done >>/var/lib/slow.after"]
    }
  }
  directory "stuck" {
    node     = "w1"
    path     = "/var/lib/dump/stuck"
    timeout  = "2s"
    on_error = "continue"
    before {
      service = "ledger"
      command = ["sleep", "60"]
    }
  }
`

// data takes volumes and directories of three nodes, of a service in two tasks and of a
// global one.
func (k *kept) data() {
	k.deploysWriters()
	k.edit("    from = \"follower\"\n  }\n", "    from = \"follower\"\n  }\n"+keptData)
	before := k.bothHold(1)[0]

	// A source that has to be there can't be read: no backup, and everybody is back.
	k.refuses([]string{"directory.slow", "did not end within 2 seconds"}, "apply", "-auto-approve")
	k.writersRun()
	if b := k.bothHold(1)[0]; b.ID != before.ID {
		k.t.Errorf("with a source missing there is the backup %s", b.ID)
	}
	if out := k.on("m2", "cat /var/lib/slow.after"); out != "done" {
		k.t.Errorf("the command after a command that failed left %q", out)
	}

	k.edit("    on_error = \"fail\"\n", "    on_error = \"continue\"\n")
	if r := k.does("apply", "-auto-approve"); !strings.Contains(r.stdout, "is not gone on with: The configuration was changed") {
		k.t.Errorf("the run that failed is not said to be given up:\n%s", r.stdout)
	}
	k.writersRun()
	k.allBack()
	k.holdsData(k.bothHold(2)[0].ID)
	if out := k.on("w1", "sort -u /var/lib/dump.after; test -s /var/lib/dump/log && echo dumped"); out != "done\ndumped" {
		k.t.Errorf("the commands around dump left %q", out)
	}
	k.nothingToDo()
	k.nothingLeft()
}

// deploysWriters has ledger in two tasks on w1 with a volume, and agent on each node
// that has its label with a directory of the host's.
func (k *kept) deploysWriters() {
	k.t.Helper()
	must(k.t, lab.Install(k.ctx, map[string]string{"busybox": "busybox-static"}, func(line string) { k.t.Log(line) }))
	dir := k.t.TempDir()
	build := exec.CommandContext(k.ctx, "sh", "-euc", shellImage)
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		k.t.Fatalf("the writers' image: %v\n%s", err, out)
	}
	image, err := os.ReadFile(filepath.Join(dir, "shell.tar"))
	must(k.t, err)
	for _, node := range []string{"w1", "m3"} {
		must(k.t, os.WriteFile(k.lab.Disk(node, "shell.tar"), image, 0o600))
		k.on(node, "docker import /var/lib/docker/shell.tar requeen-lab/shell:1 >/dev/null; mkdir -p /var/lib/agent /var/lib/dump/stuck")
		k.on("m1", "docker node update --label-add agent=yes "+node+" >/dev/null")
	}
	k.on("m2", "mkdir -p /var/lib/slow; touch /var/lib/slow/file")
	create := "docker service create --quiet --detach --no-resolve-image --restart-delay 1s --stop-grace-period 3s --env HOSTNAME={{.Task.Name}} "
	k.on("m1", create+"--name ledger --replicas 2 --constraint node.hostname==w1 --mount type=volume,source=ledger,target=/data "+
		"--mount type=bind,source=/var/lib/dump,target=/dump requeen-lab/shell:1 sh -c '"+writesLines+"' >/dev/null")
	k.on("m1", create+"--name agent --mode global --constraint node.labels.agent==yes --mount type=bind,source=/var/lib/agent,target=/data "+
		"requeen-lab/shell:1 sh -c '"+writesLines+"' >/dev/null")
	k.writersRun()
}

// writersRun waits until both services are at their scale, and says that no word of a
// run is left in them.
func (k *kept) writersRun() {
	k.t.Helper()
	k.eventually(time.Minute, "the writers to run", func() (bool, error) {
		out, _ := k.lab.Run(k.ctx, k.members[0], "timeout 10 docker service ls --format '{{.Name}} {{.Mode}} {{.Replicas}}'")
		return strings.Contains(out, "ledger replicated 2/2") && strings.Contains(out, "agent global 2/2"), nil
	})
	out := k.on("m1", `docker service inspect ledger agent -f '{{json .Spec.Labels}} {{json .Spec.TaskTemplate.Placement.Constraints}}'`)
	if want := "{} [\"node.hostname==w1\"]\n{} [\"node.labels.agent==yes\"]"; out != want {
		k.t.Errorf("the services have the labels and constraints\n%s\nwant\n%s", out, want)
	}
}

// holdsData says that a backup has what could be read, of one moment where it was to
// be, and names what could not.
func (k *kept) holdsData(id string) {
	k.t.Helper()
	var b struct {
		Data []struct {
			Kind, Name, Node, Consistency string
			Missing, Changed              bool
		}
	}
	must(k.t, json.Unmarshal([]byte(k.does("backup", "show", "-json", "-repository", "nas", id).stdout), &b))
	have := map[string]string{}
	for _, d := range b.Data {
		have[d.Kind+"."+d.Name] = fmt.Sprintf("%s %s missing=%v changed=%v", d.Node, d.Consistency, d.Missing, d.Changed)
	}
	for name, want := range map[string]string{
		"volume.ledger": "w1 quiesced missing=false changed=false", "directory.agent": "m3 quiesced missing=false changed=false",
		"directory.dump": "w1 commands missing=false changed=false", "directory.slow": "m2  missing=true changed=false",
		"directory.stuck": "w1  missing=true changed=false",
	} {
		if have[name] != want {
			k.t.Errorf("of %s the backup says %q, want %q", name, have[name], want)
		}
	}
}
