package repository

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	creators      = 2
	creatorRounds = 150
)

func init() { roles["creator"] = creator }

// creator creates one key a round, in step with the others, and says which it
// got.
func creator() {
	dir, me := os.Getenv("CREATE_DIR"), os.Getenv("CREATE_ME")
	s, err := openStore(os.Getenv("CREATE_URL"))
	if err != nil {
		fmt.Println("error", err)
		return
	}
	end := time.Now().Add(time.Minute)
	for round := range rounds(creatorRounds) {
		mine := filepath.Join(dir, fmt.Sprintf("ready-%d-", round))
		if err := os.WriteFile(mine+me, nil, 0o600); err != nil {
			fmt.Println("error", err)
			return
		}
		for i := range creators {
			for absent(mine + strconv.Itoa(i)) {
				if time.Now().After(end) {
					fmt.Println("error: the other one is not there")
					return
				}
			}
		}
		err := s.createOnce(ctx, fmt.Sprintf("prod/lock/%06d.json", round), []byte(me))
		switch {
		case err == nil:
			fmt.Println("won", round)
		case !errors.Is(err, fs.ErrExist):
			fmt.Println("error", err)
			return
		}
	}
}

// Of two processes that create one object at the same moment exactly one does.
// A look followed by a rename, as behind fileblob's IfNotExist, fails this test.
func TestCreateOnceBetweenProcesses(t *testing.T) {
	dir, url := t.TempDir(), newURL(t)
	won := map[string][]string{}
	var running []*exec.Cmd
	var outs []*bufio.Scanner
	for i := range creators {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), roleVar+"=creator", "CREATE_DIR="+dir, "CREATE_URL="+url, "CREATE_ME="+strconv.Itoa(i))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		running, outs = append(running, cmd), append(outs, bufio.NewScanner(out))
	}
	for i, out := range outs {
		for out.Scan() {
			word, round, _ := strings.Cut(out.Text(), " ")
			if word != "won" {
				t.Error(out.Text())
			}
			won[round] = append(won[round], strconv.Itoa(i))
		}
		if err := running[i].Wait(); err != nil {
			t.Error(err)
		}
	}
	s, err := openStore(url)
	if err != nil {
		t.Fatal(err)
	}
	for round := range rounds(creatorRounds) {
		winners := won[strconv.Itoa(round)]
		data, err := readAll(ctx, s, fmt.Sprintf("prod/lock/%06d.json", round), 10)
		if err != nil || len(winners) != 1 || string(data) != winners[0] {
			t.Fatalf("round %d: %v created it, %q is in it: %v", round, winners, data, err)
		}
	}
}
