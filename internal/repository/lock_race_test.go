package repository

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func init() { roles["racer"] = racer }

// racer tries for the lock once for each line "go MIN RUN" on standard input,
// and says what came of it; "end" releases.
func racer() {
	r, err := Open(ctx, Options{URL: os.Getenv("RACE_URL"), Cluster: "prod", Plaintext: true})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	var held *Held
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		if words[0] == "end" {
			err = nil
			if held != nil {
				err = held.Release(ctx)
			}
			held = nil
			fmt.Println("ended", err)
			continue
		}
		low, _ := strconv.ParseUint(words[1], 10, 64)
		held, err = r.Acquire(ctx, LockOptions{Run: words[2], MinNumber: low})
		switch {
		case err == nil:
			fmt.Println("won", held.Number())
		case errors.Is(err, ErrLocked):
			fmt.Println("lost")
		default:
			fmt.Println("error", err)
		}
	}
}

type racing struct {
	in  io.WriteCloser
	out *bufio.Scanner
	cmd *exec.Cmd
}

func startRacer(t *testing.T, url string) *racing {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"=racer", "RACE_URL="+url)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	return &racing{in: in, out: bufio.NewScanner(out), cmd: cmd}
}

func (r *racing) say(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(r.in, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

func (r *racing) hear(t *testing.T) string {
	t.Helper()
	if !r.out.Scan() {
		t.Fatalf("the racer ended: %v", r.out.Err())
	}
	return r.out.Text()
}

// raceRound lets all try at once and gives the winners' numbers.
func raceRound(t *testing.T, racers []*racing, line func(i int) string) []uint64 {
	t.Helper()
	for i, r := range racers {
		r.say(t, line(i))
	}
	var won []uint64
	for _, r := range racers {
		switch answer := strings.Fields(r.hear(t)); answer[0] {
		case "won":
			n, _ := strconv.ParseUint(answer[1], 10, 64)
			won = append(won, n)
		case "lost":
		default:
			t.Fatal(answer)
		}
	}
	return won
}

func endRound(t *testing.T, racers []*racing) {
	t.Helper()
	for _, r := range racers {
		r.say(t, "end")
	}
	for _, r := range racers {
		if got := r.hear(t); got != "ended <nil>" {
			t.Fatal(got)
		}
	}
}

// Two processes race: exactly one ever wins, and numbers only grow.
func TestLockRaceOfProcesses(t *testing.T) {
	t.Parallel()
	url := newURL(t)
	racers := []*racing{startRacer(t, url), startRacer(t, url), startRacer(t, url)}
	last := uint64(0)
	for round := range rounds(150) {
		won := raceRound(t, racers, func(i int) string { return fmt.Sprintf("go 0 run%d", i) })
		if len(won) != 1 || won[0] <= last {
			t.Fatalf("round %d: winners %v after number %d", round, won, last)
		}
		last = won[0]
		endRound(t, racers)
	}
}

// With different run tokens seen on the hosts the racers create different
// numbers: never do two hold.
func TestLockRaceOfNumbers(t *testing.T) {
	t.Parallel()
	url := newURL(t)
	racers := []*racing{startRacer(t, url), startRacer(t, url), startRacer(t, url)}
	wins := 0
	for round := range rounds(100) {
		low := round * 10
		won := raceRound(t, racers, func(i int) string { return fmt.Sprintf("go %d run%d", low+rand.IntN(8), i) })
		if len(won) > 1 {
			t.Fatalf("round %d: winners %v", round, won)
		}
		wins += len(won)
		endRound(t, racers)
	}
	if wins == 0 {
		t.Error("nobody ever won")
	}
}

// A holder that was killed leaves its lock. Runs on the same machine, which can
// tell that it is gone, take it over at once, and of several only one does.
func TestLockTakeOverFromKilledProcess(t *testing.T) {
	t.Parallel()
	url := newURL(t)
	racers := []*racing{startRacer(t, url), startRacer(t, url), startRacer(t, url)}
	for round := range 3 {
		victim := startRacer(t, url)
		before := raceRound(t, []*racing{victim}, func(int) string { return "go 0 same" })
		if len(before) != 1 {
			t.Fatal("the victim did not get the lock")
		}
		if won := raceRound(t, racers, func(int) string { return "go 0 same" }); len(won) != 0 {
			t.Fatalf("round %d: %v took it from a live process", round, won)
		}
		endRound(t, racers)
		if err := victim.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = victim.cmd.Wait()
		// Also a run of another plan: the process provably has ended, and what
		// it launched on a host is told by the host's own guard.
		won := raceRound(t, racers, func(i int) string { return []string{"go 0 same", "go 0 another"}[i%2] })
		if len(won) != 1 || won[0] != before[0]+1 {
			t.Fatalf("round %d: %v took over number %v", round, won, before)
		}
		endRound(t, racers)
	}
}

func TestLockRaceOfGoroutines(t *testing.T) {
	t.Parallel()
	url := newURL(t)
	for round := range rounds(30) {
		var (
			wg   sync.WaitGroup
			mu   sync.Mutex
			held []*Held
		)
		for range 8 {
			wg.Go(func() {
				r, err := Open(context.Background(), Options{URL: url, Cluster: "prod", Plaintext: true})
				if err != nil {
					t.Error(err)
					return
				}
				h, err := r.Acquire(ctx, LockOptions{Run: "r"})
				if err != nil && !errors.Is(err, ErrLocked) {
					t.Error(err)
				}
				if h != nil {
					mu.Lock()
					held = append(held, h)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(held) != 1 {
			t.Fatalf("round %d: %d hold the lock", round, len(held))
		}
		if err := held[0].Release(ctx); err != nil {
			t.Fatal(err)
		}
	}
}
