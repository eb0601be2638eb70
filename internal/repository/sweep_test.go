package repository

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func init() { roles["uploader"] = uploader }

// uploader stores one object and half of another, says so, and waits to be
// killed.
func uploader() {
	r, err := Open(ctx, Options{URL: os.Getenv("UPLOAD_URL"), Cluster: "prod", Plaintext: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	w, err := r.Create(ctx, testID)
	if err == nil {
		_, err = w.Put(ctx, "config.tar", strings.NewReader("x"), nil)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	half, end := io.Pipe()
	go func() {
		_, _ = end.Write(content(1, 4<<20))
		fmt.Println("half")
	}()
	_, err = w.Put(ctx, "swarm.tar", half, nil)
	fmt.Println(err)
}

// A run that is killed in the middle of an upload leaves files that count for
// nothing, and that go.
func TestKilledUpload(t *testing.T) {
	url := "file://" + t.TempDir()
	r, err := Open(ctx, Options{URL: url, Cluster: "prod", Plaintext: true})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, how := range []string{"sweep", "remove"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), roleVar+"=uploader", "UPLOAD_URL="+url)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(out).ReadString('\n')
		if err := cmd.Process.Kill(); err != nil || line != "half\n" {
			t.Fatal(line, err)
		}
		_ = cmd.Wait()

		left := keys(t, r.store, "prod/")
		if !strings.Contains(left, ".tmp") || !strings.Contains(left, "config.tar.zst") {
			t.Fatalf("left by the kill: %s", left)
		}
		if list, err := r.List(ctx); err != nil || len(list) != 0 {
			t.Errorf("%v, %v", list, err)
		}
		if how == "remove" {
			err = r.RemoveIncomplete(ctx, testID)
		} else {
			var removed []string
			removed, err = r.Sweep(ctx, nil, time.Hour, now.Add(2*time.Hour))
			if strings.Join(removed, " ") != left {
				t.Errorf("removed %v", removed)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if names, err := r.store.names(ctx, "prod/"); err != nil || len(names) != 0 {
			t.Errorf("left: %v, %v", names, err)
		}
	}
	store1(t, r, testID, map[string][]byte{"swarm.tar": []byte("again")})
}

func TestSweepLeavesWhatIsNotLeftOver(t *testing.T) {
	r, _ := newRepository(t)
	now := time.Now()
	store1(t, r, testID, map[string][]byte{"swarm.tar": []byte("x")})
	for _, key := range []string{
		"prod/20260301T000001Z-000001/swarm.tar.zst.age",         // kept by the caller
		"prod/20260301T000002Z-000002/swarm.tar.zst.age",         // left over
		"prod/" + testID + "/swarm.tar.zst.age.17f3a9.tmp",       // left over beside a backup
		"prod/" + testID + "/notes.txt",                          // not requeen's
		"prod/lock/000001.released", "prod/lock/000001.json.tmp", // not of the form
		"prod/lock/000001.json.17f3a9.tmp",
		"prod/elsewhere/swarm.tar.zst.age.17f3a9.tmp",
		"test/20260301T000003Z-000003/swarm.tar.zst.age", // another cluster's
	} {
		if err := writeAll(ctx, r.store, key, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	keep := func(id string) bool { return id == "20260301T000001Z-000001" }
	before := keys(t, r.store, "prod/")
	if removed, err := r.Sweep(ctx, keep, time.Hour, now); err != nil || len(removed) != 0 || keys(t, r.store, "prod/") != before {
		t.Errorf("what is young: %v, %v", removed, err)
	}
	removed, err := r.Sweep(ctx, keep, time.Hour, now.Add(2*time.Hour))
	if err != nil || len(removed) != 3 {
		t.Errorf("removed %v, %v", removed, err)
	}
	for _, gone := range []string{"20260301T000002Z-000002", "swarm.tar.zst.age.17f3a9.tmp", "000001.json.17f3a9.tmp"} {
		if !strings.Contains(strings.Join(removed, " "), gone) {
			t.Errorf("%s stays", gone)
		}
	}
	if got := readObject(t, r, testID, "swarm.tar"); !bytes.Equal(got, []byte("x")) {
		t.Error("the backup suffered")
	}
	if keys(t, r.store, "test/") == "" {
		t.Error("another cluster's place was swept")
	}
}
