//go:build lab

package scenario

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/schema"
)

// testAdopt gives a swarm an odd shape, writes it down with init, and holds
// what was written against the engines' own account: the first plan of it is
// the backup alone, and any later change is put back.
func testAdopt(t *testing.T, s *swarm) {
	s.fresh(t)
	s.on("m1", `docker node update --label-add zone=a --label-add 'odd=it'"'"'s ${x} %{y} "q"' m1
docker node update --availability drain --label-add zone=b m2
docker node update --availability pause w1
docker swarm update --task-history-limit 3 --cert-expiry 720h --snapshot-interval 5000 --dispatcher-heartbeat 7s`)
	defer s.on("m1", `docker node update --label-rm zone --label-rm odd m1
docker node update --availability active --label-rm zone m2
docker node update --availability active w1
docker swarm update --task-history-limit 5 --cert-expiry 2160h --snapshot-interval 10000 --dispatcher-heartbeat 5s`)

	recipient, err := exec.Command("age-keygen", "-y", filepath.Join(s.lab.Dir(), "identity.txt")).Output()
	must(t, err)
	adopted := func(out string) string {
		s.does("init", "-from", "ssh://root@m1", "-name", s.lab.Name(), "-out", out,
			"-repository", "file://"+s.repository(), "-recipient", strings.TrimSpace(string(recipient)))
		text, err := os.ReadFile(filepath.Join(s.dir, out, "cluster.rq.hcl"))
		must(t, err)
		return string(text)
	}
	text := adopted("adopted")
	if again := adopted("again"); again != text {
		t.Errorf("a second init writes something else:\n%s\n%s", text, again)
	}
	s.refuses([]string{"There is a configuration already"}, "init", "-from", "ssh://root@m1", "-out", "adopted")
	s.refuses([]string{"It is a worker, and only managers tell the swarm"}, "init", "-from", "ssh://root@w1", "-out", "worker")

	cfg, ds := schema.Load(filepath.Join(s.dir, "adopted"), schema.Options{})
	if len(ds) > 0 {
		t.Errorf("what init wrote: %v", ds)
	}
	s.declares(cfg)
	kinds, unmet := s.planned("adopted")
	want := []string{"stop", "archive", "start", "verify"}
	if s.autolock {
		want = []string{"stop", "archive", "start", "unlock", "verify"}
	}
	if !slices.Equal(kinds, want) || len(unmet) > 0 {
		t.Errorf("the first plan has the steps %v and the unmet goals %v, want the backup alone", kinds, unmet)
	}

	s.on("m1", "docker node update --label-add zone=c w1; docker node update --availability active m2; docker swarm update --cert-expiry 1000h")
	kinds, unmet = s.planned("adopted")
	if want = append(want, "update-swarm", "update-node", "update-node"); !slices.Equal(kinds, want) || len(unmet) > 0 {
		t.Errorf("after three changes by hand the plan has the steps %v and the unmet goals %q", kinds, unmet)
	}
	s.does("-chdir=adopted", "apply", "-auto-approve")
	s.allBack()
	if kinds, unmet = s.planned("adopted"); len(kinds)+len(unmet) > 0 {
		t.Errorf("after that the plan still has the steps %v and the unmet goals %q", kinds, unmet)
	}
	s.declares(cfg)
}

// planned plans in a directory, and gives the kinds of the steps and the
// remedies of the unmet goals.
func (s *swarm) planned(dir string) (kinds, remedies []string) {
	s.t.Helper()
	r := s.run("-chdir="+dir, "plan", "-json")
	for line := range strings.SplitSeq(strings.TrimSpace(r.stdout), "\n") {
		var l struct{ Type, Kind, Remedy string }
		must(s.t, json.Unmarshal([]byte(line), &l))
		switch l.Type {
		case "planned_step":
			kinds = append(kinds, l.Kind)
		case "unmet":
			remedies = append(remedies, l.Remedy)
		}
	}
	return kinds, remedies
}

// declares holds a configuration against what docker itself tells.
func (s *swarm) declares(cfg *schema.Config) {
	s.t.Helper()
	var nodes []struct {
		Spec struct {
			Role, Availability string
			Labels             map[string]string
		}
		Description struct{ Hostname string }
		Status      struct{ Addr string }
	}
	must(s.t, json.Unmarshal([]byte(s.on("m1", "docker node inspect $(docker node ls -q)")), &nodes))
	if len(nodes) != len(cfg.Nodes) {
		s.t.Errorf("%d nodes are declared, the swarm has %d", len(cfg.Nodes), len(nodes))
	}
	for _, n := range nodes {
		name := n.Description.Hostname
		d := cfg.Node(name)
		if d == nil {
			s.t.Errorf("%s is not declared", name)
			continue
		}
		there, err := s.lab.Node(name)
		must(s.t, err)
		same := d.Role == n.Spec.Role && d.Availability == n.Spec.Availability && d.Address == there.Address && len(d.Labels) == len(n.Spec.Labels)
		for k, v := range n.Spec.Labels {
			same = same && d.Labels[k] == v
		}
		if !same {
			s.t.Errorf("%s is declared as %+v, and is %+v at %s", name, d, n, there.Address)
		}
	}
	var settings []int64
	must(s.t, json.Unmarshal([]byte(s.on("m1", `docker info -f '[{{.Swarm.Cluster.Spec.Orchestration.TaskHistoryRetentionLimit}},{{.Swarm.Cluster.Spec.Raft.SnapshotInterval}},{{.Swarm.Cluster.Spec.Raft.LogEntriesForSlowFollowers}},{{.Swarm.Cluster.Spec.Raft.HeartbeatTick}},{{.Swarm.Cluster.Spec.Raft.ElectionTick}},{{printf "%d" .Swarm.Cluster.Spec.CAConfig.NodeCertExpiry}},{{printf "%d" .Swarm.Cluster.Spec.Dispatcher.HeartbeatPeriod}}]'`)), &settings))
	c := cfg.Cluster.Settings
	declared := []int64{*c.TaskHistoryLimit, int64(*c.SnapshotInterval), int64(*c.LogEntriesForSlowFollowers), int64(*c.HeartbeatTick), int64(*c.ElectionTick),
		int64(*c.CertExpiry), int64(*c.DispatcherHeartbeat)}
	if !slices.Equal(settings, declared) {
		s.t.Errorf("the settings are declared as %v, and are %v", declared, settings)
	}
	if *c.CertExpiry != 720*time.Hour {
		s.t.Errorf("cert_expiry is %s", *c.CertExpiry)
	}
}
