package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// janitorVar names, in the environment of the janitor, what it removes.
const janitorVar = "REQUEEN_JANITOR_REMOVES"

// RunJanitorIfAsked turns this process into a janitor, and does not return,
// when NewPrivate started it as one. Every program that uses NewPrivate calls
// it before anything else, as does TestMain in tests.
func RunJanitorIfAsked() {
	dir := os.Getenv(janitorVar)
	if dir == "" {
		return
	}
	os.Exit(runJanitor(dir))
}

// runJanitor waits for the end of standard input, whose other end its parent
// holds, and removes the directory.
func runJanitor(dir string) int {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGTSTP)
	if !filepath.IsAbs(dir) || !strings.HasPrefix(filepath.Base(dir), privatePrefix) || !ours(dir) {
		return 2
	}
	if _, err := os.Stdout.WriteString("ready\n"); err != nil {
		return 2
	}
	_ = os.Stdout.Close()
	_, _ = io.Copy(io.Discard, os.Stdin)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		// What a child of the parent's is still writing makes RemoveAll fail.
		if err := os.RemoveAll(dir); err == nil {
			return 0
		}
		if time.Now().After(deadline) {
			return 1
		}
	}
}

// janitor is the child process, from its parent's side.
type janitor struct {
	cmd  *exec.Cmd
	life io.Closer // the janitor acts when this ends
}

// startJanitor starts this program again, with nothing in its environment but
// its task, in a session of its own: what ends a terminal's processes passes it
// by. It is there when it has said so.
func startJanitor(ctx context.Context, dir string) (*janitor, error) {
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", // also when the file was replaced meanwhile
		Args: []string{"requeen-janitor"},
		Env:  []string{janitorVar + "=" + dir},
		Dir:  "/",
		SysProcAttr: &syscall.SysProcAttr{
			Setsid: true,
		},
	}
	life, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	j := &janitor{cmd: cmd, life: life}
	if err := awaitReady(ctx, said); err != nil {
		_ = cmd.Process.Kill()
		j.dismiss()
		return nil, err
	}
	return j, nil
}

const janitorStart = 30 * time.Second

func awaitReady(ctx context.Context, said io.Reader) error {
	ctx, cancel := context.WithTimeout(ctx, janitorStart)
	defer cancel()
	answer := make(chan error, 1)
	go func() {
		var word [6]byte
		_, err := io.ReadFull(said, word[:])
		if err == nil && string(word[:]) != "ready\n" {
			err = errors.New("it is another program, or main does not call RunJanitorIfAsked first")
		}
		answer <- err
	}()
	select {
	case err := <-answer:
		if err != nil {
			return fmt.Errorf("the janitor did not start: %w", err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the janitor did not start: %w", ctx.Err())
	}
}

// dismiss lets the janitor act and waits for it.
func (j *janitor) dismiss() {
	_ = j.life.Close()
	_ = j.cmd.Wait()
}
