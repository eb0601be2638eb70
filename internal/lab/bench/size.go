package main

import (
	"context"
	"fmt"
	"os"
)

// size compares the program with those of the lab's engine.
func (s *swarm) size(ctx context.Context) (Section, error) {
	info, err := os.Stat(s.program)
	if err != nil {
		return Section{}, err
	}
	out, err := s.lab.Run(ctx, "m1", "stat -L -c %s /usr/bin/docker /usr/sbin/dockerd")
	if err != nil {
		return Section{}, err
	}
	var client, daemon float64
	if _, err := fmt.Sscan(out, &client, &daemon); err != nil {
		return Section{}, err
	}
	ours := Series{"requeen", "bytes", []float64{float64(info.Size())}}
	s.say("size: %.1f MB", float64(info.Size())/1e6)
	return s.section(sectionSize, s.engine, nil, []Row{
		{What: "size of the program", Ours: ours, Other: Series{"docker (the client)", "bytes", []float64{client}}},
		{What: "size of the program", Ours: ours, Other: Series{"dockerd", "bytes", []float64{daemon}}},
	}), nil
}
