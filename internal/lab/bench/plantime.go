package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
)

const fiftyWorkers = 47

// planTimes plans a swarm of fifty nodes, declared whole and by its managers
// alone, in turn.
func (s *swarm) planTimes(ctx context.Context, rounds int) (Section, error) {
	var list []struct{ Status struct{ State string } }
	if err := s.call(ctx, "m1", http.MethodGet, "/nodes", nil, &list); err != nil {
		return Section{}, err
	}
	three, err := s.configure("three", func(text string) string { return workerBlock.ReplaceAllString(text, "") })
	if err != nil {
		return Section{}, err
	}
	all, err := s.configure("all", func(text string) string { return text })
	if err != nil {
		return Section{}, err
	}
	if err := s.calm(ctx, bootedIn); err != nil {
		return Section{}, err
	}
	if _, err := s.leader(ctx); err != nil {
		return Section{}, err
	}
	var few, many, fewCPU, manyCPU []float64
	for round := range rounds {
		for turn := range 2 {
			if err := s.calm(ctx, calmIn); err != nil {
				return Section{}, err
			}
			dir, times, cpus := three, &few, &fewCPU
			if (round+turn)%2 == 1 {
				dir, times, cpus = all, &many, &manyCPU
			}
			e, err := s.requeen(ctx, dir, nil, "plan", "-out", dir+"/plan")
			if err != nil {
				return Section{}, err
			}
			*times = append(*times, rounded(e.took.Seconds()))
			*cpus = append(*cpus, rounded(e.cpu.Seconds()))
			s.say("plan, round %d of %d, %d declared nodes: %.2f s (%.2f s of processor)", round+1, rounds, declared(dir), e.took.Seconds(), e.cpu.Seconds())
		}
	}
	what := fmt.Sprintf("plan of %d nodes by plan of %d", declared(all), declared(three))
	return s.section(sectionPlan, s.engine, []string{
		fmt.Sprintf("The swarm had %d nodes. Of the time of the larger plan %.2f s (median) was work of requeen's and its ssh clients' own on the processors.",
			len(list), spreadOf(manyCPU).Median),
	}, []Row{{What: what, Ours: Series{fmt.Sprintf("%d nodes", declared(all)), "s", many},
		Other: Series{fmt.Sprintf("%d nodes", declared(three)), "s", few}}}), nil
}

// declared is how many nodes a configuration declares.
func declared(dir string) int {
	text, _ := os.ReadFile(dir + "/lab.rq.hcl")
	return strings.Count("\n"+string(text), "\nnode ")
}
