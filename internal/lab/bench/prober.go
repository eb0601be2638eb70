package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

const (
	probeEvery = 5 * time.Millisecond
	// probePatience ends an answer that never comes; a connection made while the
	// engine starts waits in its socket's queue, which is no failure.
	probePatience = time.Minute
)

// sample is one question to the engine: when its end was, since the prober began.
type sample struct {
	end time.Duration
	ok  bool
}

// prober asks an engine's socket again and again whether it answers.
type prober struct {
	socket  string
	samples []sample
	cancel  context.CancelFunc
	done    chan struct{}
}

// startProber begins to ask.
func startProber(ctx context.Context, socket string) *prober {
	ctx, cancel := context.WithCancel(ctx)
	p := &prober{socket: socket, cancel: cancel, done: make(chan struct{})}
	go p.run(ctx)
	return p
}

func (p *prober) run(ctx context.Context) {
	defer close(p.done)
	begin := time.Now()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		err := ping(ctx, p.socket)
		if ctx.Err() != nil {
			return
		}
		p.samples = append(p.samples, sample{time.Since(begin), err == nil})
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// stop ends the asking and gives how long the engine was down.
func (p *prober) stop() (time.Duration, error) {
	p.cancel()
	<-p.done
	return outage(p.samples)
}

// outage is the time from the last answer before the first failure to the first
// answer after the last one: an engine that comes up, and fails once more, was
// down all the while.
func outage(samples []sample) (time.Duration, error) {
	first, last := -1, -1
	for i, s := range samples {
		if s.ok {
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	switch {
	case first < 0:
		return 0, errors.New("the engine answered all the while: it was not stopped")
	case first == 0:
		return 0, errors.New("the engine did not answer before it was stopped")
	case last == len(samples)-1:
		return 0, errors.New("the engine did not answer again")
	}
	return samples[last+1].end - samples[first-1].end, nil
}

// ping asks the engine's API for a sign of life.
func ping(ctx context.Context, socket string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := conn.SetDeadline(time.Now().Add(probePatience)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("GET /_ping HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n")); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.Contains(line, " 200 ") {
		err = fmt.Errorf("the engine said %q", strings.TrimSpace(line))
	}
	return err
}
