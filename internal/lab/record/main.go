package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	columns = 108
	rows    = 30
)

func main() {
	out := flag.String("out", "", "the picture to write")
	keep := flag.String("keep", "", "keep the recording in this directory, or draw the one that is there")
	flag.Parse()
	if err := record(*out, *keep, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func record(out, dir string, command []string) error {
	if out == "" {
		return errors.New("-out is missing")
	}
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "record"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if len(command) > 0 {
		if err := session(dir, command); err != nil {
			return err
		}
	}
	chunks, err := read(dir)
	if err != nil {
		return err
	}
	picture, err := draw(chunks)
	if err != nil {
		return err
	}
	return os.WriteFile(out, picture, 0o644)
}

// session runs a command in a terminal of its own and keeps its bytes and their
// times.
func session(dir string, command []string) error {
	quoted := make([]string, len(command))
	for i, word := range command {
		quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	inside := fmt.Sprintf("stty cols %d rows %d && exec %s", columns, rows, strings.Join(quoted, " "))
	cmd := exec.Command("script", "--quiet", "--return", "--logging-format", "classic",
		"--log-out", filepath.Join(dir, "out"), "--log-timing", filepath.Join(dir, "timing"), "--command", inside)
	cmd.Env = append(os.Environ(), "TERM=xterm", "LC_ALL=C.UTF-8")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the session: %w (script(1) is in the Debian package bsdutils)", err)
	}
	return nil
}

// chunk is what was printed at a time since the session's begin.
type chunk struct {
	at   time.Duration
	data []byte
}

// read takes a recording apart: the timing file has a line for each chunk, with
// the seconds since the last one and its length.
func read(dir string) ([]chunk, error) {
	data, err := os.ReadFile(filepath.Join(dir, "out"))
	if err != nil {
		return nil, err
	}
	timing, err := os.ReadFile(filepath.Join(dir, "timing"))
	if err != nil {
		return nil, err
	}
	// The first and last line are script's own.
	_, data, _ = bytes.Cut(data, []byte("\n"))
	var chunks []chunk
	var at time.Duration
	for lines := bufio.NewScanner(bytes.NewReader(timing)); lines.Scan(); {
		delay, size, ok := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		seconds, err := strconv.ParseFloat(delay, 64)
		n, err2 := strconv.Atoi(size)
		if !ok || errors.Join(err, err2) != nil || n > len(data) {
			return nil, fmt.Errorf("the timing %q does not fit the recording", lines.Text())
		}
		at += time.Duration(seconds * float64(time.Second))
		chunks = append(chunks, chunk{at, data[:n]})
		data = data[n:]
	}
	if len(chunks) == 0 {
		return nil, errors.New("the recording is empty")
	}
	return chunks, nil
}
