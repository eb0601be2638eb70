package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

const (
	resetFailed = "systemctl reset-failed docker.service docker.socket; " // three starts a minute are allowed
	stopEngine  = "systemctl stop docker.socket docker.service; "
	startEngine = "systemctl start docker.socket docker.service"
	archive     = "tar czf /root/swarm.tgz -C /var/lib/docker swarm; "
)

// ways are the ways to stop and start an engine, which alternate.
var ways = []string{"requeen", "bare stop and start", "the usual script"}

// stops are the values of one swarm with one size of its directory.
type stops struct {
	swarm   string // in words
	size    string // in words
	judged  bool
	onDisk  int64 // bytes that the swarm directory takes
	content int64 // bytes of it that are not preallocated space
	down    map[string][]float64
	backups []backup
}

// backup is what one backup took on the operator's machine.
type backup struct {
	plan, apply ended
	plaintext   int64 // bytes in memory-backed storage, at most
}

// stopsOf measures rounds of all three ways.
func (s *swarm) stopsOf(ctx context.Context, size string, rounds int) (*stops, error) {
	dir, err := s.configure("backup", func(text string) string {
		return strings.ReplaceAll(text, `from = "follower"`, `from = "`+s.measured+`"`)
	})
	if err != nil {
		return nil, err
	}
	o := &stops{swarm: "three managers", size: size, down: map[string][]float64{}}
	if len(s.managers) == 1 {
		o.swarm, o.judged = "one manager", true
	}
	if o.onDisk, o.content, err = s.sizes(ctx); err != nil {
		return nil, err
	}
	s.say("%s, %s: %s", o.swarm, size, o.note())
	for round := range rounds {
		for turn := range ways {
			way := ways[(round+turn)%len(ways)]
			took, err := s.stop(ctx, way, dir, o)
			if err != nil {
				return nil, fmt.Errorf("%s, round %d, %s: %w", size, round+1, way, err)
			}
			o.down[way] = append(o.down[way], rounded(took.Seconds()))
			s.say("%s, %s, round %d of %d, %s: engine down for %.2f s", o.swarm, size, round+1, rounds, way, took.Seconds())
		}
	}
	return o, nil
}

// stop stops and starts the measured engine in one way, once.
func (s *swarm) stop(ctx context.Context, way, dir string, o *stops) (time.Duration, error) {
	file := filepath.Join(dir, "backup.plan")
	if err := s.settle(ctx); err != nil {
		return 0, err
	}
	if _, err := s.lab.Run(ctx, s.measured, resetFailed+"rm -f /root/swarm.tgz"); err != nil {
		return 0, err
	}
	var b backup
	var err error
	if way == ways[0] {
		if b.plan, err = s.requeen(ctx, dir, nil, "plan", "-backup", "-out", file); err != nil {
			return 0, err
		}
	}
	socket, err := s.lab.Socket(s.measured)
	if err != nil {
		return 0, err
	}
	if err := ping(ctx, socket); err != nil {
		return 0, err
	}
	p := startProber(ctx, socket)
	time.Sleep(20 * probeEvery)
	switch way {
	case ways[0]:
		store := newStore()
		b.apply, err = s.requeen(ctx, dir, store.watch, "apply", file)
		b.plaintext = store.most
		o.backups = append(o.backups, b)
	case ways[1]:
		_, err = s.lab.Run(ctx, s.measured, stopEngine+startEngine)
	default:
		_, err = s.lab.Run(ctx, s.measured, stopEngine+archive+startEngine)
	}
	if err == nil {
		err = ping(ctx, socket) // waits in the socket's queue, if it must
	}
	time.Sleep(20 * probeEvery)
	took, outageErr := p.stop()
	if err == nil {
		err = outageErr
	}
	return took, err
}

// sizes are what the measured manager's swarm directory takes on its disk, and
// what of that is content: a sparse copy is without the log's preallocated space.
func (s *swarm) sizes(ctx context.Context) (onDisk, content int64, err error) {
	out, err := s.lab.Run(ctx, s.measured, `cd /root && rm -rf copy && cp -a --sparse=always /var/lib/docker/swarm copy &&
		du -s -B1 /var/lib/docker/swarm copy && rm -rf copy`)
	if err == nil {
		_, err = fmt.Sscanf(out, "%d /var/lib/docker/swarm\n%d copy", &onDisk, &content)
	}
	return onDisk, content, err
}

// downtimeRows are the comparisons of one size.
func (o *stops) downtimeRows() []Row {
	side := func(way string) Series { return Series{Label: way, Unit: "s", Values: o.down[way]} }
	what := o.swarm + ", " + o.size
	bare := Row{What: what, Ours: side(ways[0]), Other: side(ways[1])}
	script := Row{What: what, Ours: side(ways[0]), Other: side(ways[2])}
	if o.judged {
		bare.Bound, script.Bound = &Bound{Max: 1.10}, &Bound{Max: 1, Below: true}
	}
	return []Row{bare, script}
}

// note says how large the swarm directory was.
func (o *stops) note() string {
	return fmt.Sprintf("the swarm directory takes %s, of which %s are content and the rest is preallocated",
		megabytes(o.onDisk), megabytes(o.content))
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
