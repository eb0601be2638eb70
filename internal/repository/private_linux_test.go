package repository

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() {
	roles["private"] = holdPrivate
}

// holdPrivate makes a directory with something in it, tells where it and its
// janitor are, and waits to be killed.
func holdPrivate() {
	p, err := NewPrivate(ctx, "test")
	if err == nil {
		err = os.WriteFile(filepath.Join(p.Dir(), "secret"), []byte("plaintext"), 0o600)
	}
	if err != nil {
		fmt.Println("error", err)
		return
	}
	fmt.Println(p.dir, p.janitor.cmd.Process.Pid)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

func startPrivate(t *testing.T) (cmd *exec.Cmd, dir string, janitorPID int) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"=private")
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
	t.Cleanup(func() { in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(line)
	if len(words) != 2 {
		t.Fatal(line)
	}
	janitorPID, err = strconv.Atoi(words[1])
	if err != nil {
		t.Fatal(err)
	}
	return cmd, words[0], janitorPID
}

func TestPrivateIsInMemoryAndGoneAfterClose(t *testing.T) {
	p, err := NewPrivate(ctx, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, dir := range []string{p.dir, p.Dir()} {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o700 || !inMemory(dir) {
			t.Errorf("%s: %v, %v", dir, info, err)
		}
	}
	if err := p.EnsureRoom(1 << 10); err != nil {
		t.Error(err)
	}
	if err := p.EnsureRoom(math.MaxInt64 - 1); !errors.Is(err, ErrNoRoom) {
		t.Errorf("a demand that no machine meets: %v", err)
	}
	if removed, err := SweepPrivate(); err != nil {
		t.Error(err)
	} else if strings.Contains(strings.Join(removed, " "), p.dir) {
		t.Error("a sweep removed a directory that is in use")
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if !absent(p.dir) {
		t.Error("it is still there")
	}
	if err := p.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
}

// A process that is killed takes its plaintext with it, also when signals reach
// its janitor.
func TestPrivateIsGoneAfterKill(t *testing.T) {
	t.Parallel()
	cmd, dir, janitorPID := startPrivate(t)
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if err := syscall.Kill(janitorPID, s); err != nil {
			t.Fatal(err)
		}
	}
	if absent(filepath.Join(dir, contentName, "secret")) {
		t.Fatal("it is gone before the kill")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the directory is gone", func() bool { return absent(dir) })
}

// When the janitor was killed too, the next sweep removes what is left.
func TestSweepPrivateAfterJanitorWasKilled(t *testing.T) {
	t.Parallel()
	cmd, dir, janitorPID := startPrivate(t)
	if err := syscall.Kill(janitorPID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := SweepPrivate(); err != nil {
		t.Fatal(err)
	}
	if absent(dir) {
		t.Fatal("a sweep removed a directory whose owner lives")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	eventually(t, "a sweep removes it", func() bool {
		if _, err := SweepPrivate(); err != nil {
			t.Fatal(err)
		}
		return absent(dir)
	})
}

func TestSweepPrivateLeavesOthersAlone(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "")
	target := t.TempDir()
	link := filepath.Join("/dev/shm", privatePrefix+"link-"+strconv.Itoa(os.Getpid()))
	young := filepath.Join("/dev/shm", privatePrefix+"young-"+strconv.Itoa(os.Getpid()))
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(link)
	if err := os.Mkdir(young, 0o700); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(young)
	if _, err := SweepPrivate(); err != nil {
		t.Fatal(err)
	}
	if absent(link) || absent(target) || absent(young) {
		t.Error("a link, or a directory in the making, was removed")
	}
	old := time.Now().Add(-2 * halfMade)
	if err := os.Chtimes(young, old, old); err != nil {
		t.Fatal(err)
	}
	if _, err := SweepPrivate(); err != nil || !absent(young) {
		t.Errorf("one that nobody finished making stays: %v", err)
	}
}

// A place on a disk is never taken, and there is no falling back.
func TestPrivateRefusesDisks(t *testing.T) {
	disk := t.TempDir()
	if inMemory(disk) {
		disk = "/proc" // the temporary directory itself is in memory here
	}
	if err := usable(disk); err == nil {
		t.Errorf("%s counts as memory", disk)
	}
	if _, err := NewPrivate(ctx, "../x"); !errors.Is(err, ErrNoPrivate) {
		t.Errorf("a prefix that leads elsewhere: %v", err)
	}
}

// A program whose main does not call RunJanitorIfAsked gets an error, not
// copies of itself.
func TestPrivateNeedsJanitor(t *testing.T) {
	t.Setenv(janitorVar, "/dev/shm/"+privatePrefix+"none")
	if _, err := NewPrivate(ctx, "test"); !errors.Is(err, ErrNoPrivate) {
		t.Errorf("inside something that should have become a janitor: %v", err)
	}
	if code := runJanitor("/"); code != 2 {
		t.Errorf("a janitor took / for its directory: %d", code)
	}
}

func TestPrivateEndsWithItsContext(t *testing.T) {
	ended, cancel := context.WithCancel(ctx)
	cancel()
	p, err := NewPrivate(ended, "test")
	if err == nil { // it was quicker
		p.Close()
	} else if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
