//go:build lab

package scenario

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/lab"
)

// runningContainers goes back to a backup while a service runs that it does not
// know: what the plan said would be killed is what is killed, and the anonymous
// volumes stay with what was written to them.
func (s *swarm) runningContainers() {
	s.does("apply", "-auto-approve")
	s.allBack()
	before := s.holdings("m1")
	stay := s.containers("w1")
	s.on("m1", `docker service create --quiet --name late --replicas 2 --constraint node.hostname==w1 \
		--mount type=volume,target=/scratch `+lab.Image+` >/dev/null`)
	late, volumes := s.late()
	for _, v := range volumes {
		s.on("w1", "echo "+v+" >/var/lib/docker/volumes/"+v+"/_data/written")
	}

	p := s.planFile("recovery.plan", "-restore=latest")
	if p.Recovery == nil || p.Recovery.Rung != "restore" {
		s.t.Fatalf("want a restore, have %+v", p)
	}
	s.saysWhatEnds(p, late, volumes)
	begin := time.Now()
	s.does("apply", "-digest", p.Digest, "recovery.plan")
	s.t.Logf("the restore took %.1f s", time.Since(begin).Seconds())

	s.recovered(before, "m1", "m2", "m3", "w1")
	s.eventually(time.Minute, "the containers of late to be gone", func() (bool, error) {
		left := s.on("w1", "docker ps -aq --no-trunc")
		return !slices.ContainsFunc(late, func(id string) bool { return strings.Contains(left, id) }), nil
	})
	s.stillRun("w1", stay)
	for _, v := range volumes {
		if text := s.on("w1", "cat /var/lib/docker/volumes/"+v+"/_data/written; true"); strings.TrimSpace(text) != v {
			s.t.Errorf("the anonymous volume %s holds %q", v, text)
		}
	}
	s.volumesReleased(p, "w1", volumes)
	s.nextPlanBacksUp()
}

// volumesReleased says that status names the containers with which a recovery holds
// volumes on a node, and that host cleanup removes them and leaves the volumes.
func (s *swarm) volumesReleased(p recoveryPlan, node string, volumes []string) {
	s.t.Helper()
	var r struct {
		Holders []struct {
			Node, Container, Recovery string
			Volumes                   []string
			CreatedAt                 time.Time `json:"created_at"`
			Superfluous               bool
		} `json:"volume_holders"`
	}
	must(s.t, json.Unmarshal([]byte(s.run("status", "-json").stdout), &r))
	words := strings.Join(strings.Fields(s.run("status").stdout), " ")
	var held, ids []string
	for _, h := range r.Holders {
		held = append(held, h.Volumes...)
		ids = append(ids, h.Container)
		if h.Node != node || h.Recovery != p.Recovery.ID || !h.Superfluous || h.CreatedAt.IsZero() || !strings.Contains(words, h.Container+" on "+node) {
			s.t.Errorf("status has %+v, of recovery %s on %s; it says %s", h, p.Recovery.ID, node, words)
		}
	}
	slices.Sort(held)
	if !slices.Equal(held, slices.Sorted(slices.Values(volumes))) {
		s.t.Fatalf("status lists the volumes %v as held, want %v", held, volumes)
	}
	out := s.does("host", "cleanup", node, "-auto-approve").stdout
	for _, want := range append([]string{"the volumes stay"}, ids...) {
		if !strings.Contains(out, want) {
			s.t.Errorf("host cleanup does not say %q:\n%s", want, out)
		}
	}
	if left := s.on(node, "docker ps -aq -f label=io.requeen.recovery"); strings.TrimSpace(left) != "" {
		s.t.Errorf("left are the containers %s", left)
	}
	for _, v := range volumes {
		if text := s.on(node, "cat /var/lib/docker/volumes/"+v+"/_data/written; true"); strings.TrimSpace(text) != v {
			s.t.Errorf("after host cleanup the anonymous volume %s holds %q", v, text)
		}
	}
	if strings.Contains(s.run("status", "-json").stdout, "volume_holders") {
		s.t.Error("status still lists what is gone")
	}
	s.on(node, "docker volume rm "+strings.Join(volumes, " ")+" >/dev/null")
}

// late gives the containers of the service late, once both run, and their volumes.
func (s *swarm) late() (ids, volumes []string) {
	s.t.Helper()
	s.eventually(time.Minute, "both tasks of late to run", func() (bool, error) {
		ids = strings.Fields(s.on("w1", "docker ps -q --no-trunc -f label=com.docker.swarm.service.name=late"))
		return len(ids) == 2, nil
	})
	for _, id := range ids {
		volumes = append(volumes, strings.TrimSpace(s.on("w1", `docker inspect -f '{{range .Mounts}}{{.Name}}{{end}}' `+id)))
	}
	return ids, volumes
}

// saysWhatEnds compares a plan with what runs: removed are the containers of late
// on w1 and no others, and all of the managers' end with their engines.
func (s *swarm) saysWhatEnds(p recoveryPlan, late, volumes []string) {
	s.t.Helper()
	ends := map[string][]string{}
	var gone []string
	for _, c := range p.Recovery.Containers {
		if c.Running {
			ends[c.Node+" "+c.Fate] = append(ends[c.Node+" "+c.Fate], c.Container)
		}
		gone = append(gone, c.AnonymousVolumes...)
	}
	same := func(what string, have, want []string) {
		slices.Sort(have)
		want = slices.Sorted(slices.Values(want))
		if !slices.Equal(have, want) {
			s.t.Errorf("%s: the plan says %v, want %v", what, have, want)
		}
	}
	same("removed on w1", ends["w1 removed"], late)
	same("their volumes", gone, volumes)
	for _, m := range managerNames {
		same("ended on "+m, append(ends[m+" stopped"], ends[m+" removed"]...), s.containers(m))
	}
	var codes []string
	for _, h := range p.Hazards {
		codes = append(codes, h.Code)
	}
	for _, code := range []string{"RQ130", "RQ131"} {
		if !slices.Contains(codes, code) {
			s.t.Errorf("%s is not among the hazards %v", code, codes)
		}
	}
	for _, code := range []string{"RQ124", "RQ134"} {
		if slices.Contains(codes, code) {
			s.t.Errorf("the backup and all hosts can be read, and the plan has %s", code)
		}
	}
}
