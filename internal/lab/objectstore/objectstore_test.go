//go:build lab

package objectstore

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

const backupID = "20260301T040506Z-0a1b2c"

func manifest() state.Backup {
	return state.Backup{Kind: state.KindRegular, Backup: "state", SwarmID: "s1", TakenAt: time.Date(2026, 3, 1, 4, 5, 6, 0, time.UTC), Verified: "raft"}
}

// noise is a stream that does not compress.
func noise(n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{1}), n)
}

func store(ctx context.Context, r *repository.Repository, id string, src io.Reader) error {
	w, err := r.Create(ctx, id)
	if err != nil {
		return err
	}
	if _, err = w.Put(ctx, "swarm.tar", src, nil); err == nil {
		err = w.Commit(ctx, manifest())
	}
	if err != nil {
		return errors.Join(err, w.Abort(context.WithoutCancel(ctx)))
	}
	return nil
}

// says fails unless the error says all of it, names the repository, and no key.
func says(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("nothing was wrong; it should say %q", words)
		return
	}
	t.Log(err)
	for _, w := range append(words, "repository s3://"+bucketName+"/place") {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("it does not say %q: %v", w, err)
		}
	}
	if strings.Contains(err.Error(), secretKey) {
		t.Errorf("the key is in it: %v", err)
	}
}

// TestContract runs the suite that every store has to keep, and the races of
// processes for the lock, against the server.
func TestContract(t *testing.T) {
	contract(t, newServer(t).url())
}

func contract(t *testing.T, url string, env ...string) {
	t.Helper()
	cmd := exec.Command("go", "test", "-count=1", "-timeout=5m", "-v", "-run",
		"TestStoreContract/elsewhere|TestCreateOnceBetweenProcesses|TestLockRace|TestLockTakeOverFromKilledProcess", "github.com/requeen/requeen/internal/repository")
	cmd.Env = append(append(os.Environ(), env...), "REQUEEN_TEST_REPOSITORY="+url)
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("PASS: TestStoreContract/elsewhere/")) {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestWrongCredentials(t *testing.T) {
	s := newServer(t)
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	_, err := repositoryAt(t, s.url()).List(t.Context())
	says(t, err, "credentials were refused", "AWS_SECRET_ACCESS_KEY")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIANOBODY")
	_, err = repositoryAt(t, s.url()).ReadLock(t.Context())
	says(t, err, "credentials were refused")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	_, err = repositoryAt(t, s.url()).List(t.Context())
	says(t, err, "no credentials were found")
}

func TestNoBucket(t *testing.T) {
	s := newServer(t)
	url := strings.Replace(s.url(), bucketName, bucketName+"-gone", 1)
	r := repositoryAt(t, url)
	for what, do := range map[string]func() error{
		"listed":  func() error { _, err := r.List(t.Context()); return err },
		"got":     func() error { _, err := r.Get(t.Context(), backupID); return err },
		"stored":  func() error { return store(t.Context(), r, backupID, strings.NewReader("x")) },
		"locked":  func() error { _, err := r.Acquire(t.Context(), repository.LockOptions{Run: "r"}); return err },
		"removed": func() error { return r.RemoveIncomplete(t.Context(), backupID) },
	} {
		if err := do(); errors.Is(err, repository.ErrNotFound) || err == nil || !strings.Contains(err.Error(), "there is no bucket "+bucketName+"-gone") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A server that ignores the condition of a write is found out at the first
// lock, and the object that it made twice does not stay to hold others off.
func TestConditionIgnored(t *testing.T) {
	s := newServer(t)
	r := repositoryAt(t, urlAt(s.careless()))
	_, err := r.Acquire(t.Context(), repository.LockOptions{Run: "r"})
	if !errors.Is(err, repository.ErrLockUntrusted) {
		t.Error(err)
	}
	says(t, err, "created twice", "-lock=false")
	if lock, err := r.ReadLock(t.Context()); lock != nil || err != nil {
		t.Errorf("left: %v, %v", lock, err)
	}
	held, err := repositoryAt(t, s.url()).Acquire(t.Context(), repository.LockOptions{Run: "r"})
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// A server that dies in the middle of an upload, and of a reading.
func TestServerDies(t *testing.T) {
	s := newServer(t)
	r := repositoryAt(t, s.url())
	err := store(t.Context(), r, backupID, &trigger{r: noise(80 << 20), at: 40 << 20, do: s.kill})
	says(t, err, "can't be reached", "The backup does not exist")
	_, err = r.List(t.Context())
	says(t, err, "can't be reached", "unknown, which is not the same as none")
	s.start()
	if list, err := r.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	if err := store(t.Context(), r, backupID, noise(80<<20)); err != nil {
		t.Fatal(err)
	}
	in, err := r.OpenObject(t.Context(), backupID, "swarm.tar")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	_, err = io.Copy(io.Discard, &trigger{r: in, at: 20 << 20, do: s.kill})
	says(t, err, "can't be read to its end")
	if errors.Is(err, repository.ErrDigest) {
		t.Errorf("taken for damage: %v", err)
	}
}

// trigger does something once some bytes were read.
type trigger struct {
	r  io.Reader
	at int64
	do func()
	n  int64
}

func (x *trigger) Read(p []byte) (int, error) {
	n, err := x.r.Read(p)
	if before := x.n; before < x.at && before+int64(n) >= x.at {
		x.do()
	}
	x.n += int64(n)
	return n, err
}

// A slow line takes as long as it takes, and one whose connections break now
// and then comes to the same end.
func TestPoorLine(t *testing.T) {
	s := newServer(t)
	slow := newLine(t, s.address)
	slow.slow.Store(int64(2 * time.Millisecond))
	if err := store(t.Context(), repositoryAt(t, urlAt(slow.address)), backupID, noise(24<<20)); err != nil {
		t.Errorf("slow: %v", err)
	}
	broken := newLine(t, s.address)
	r := repositoryAt(t, urlAt(broken.address))
	src := &everyBytes{r: noise(60 << 20), each: 25 << 20, do: broken.cut}
	if err := store(t.Context(), r, "20260301T040507Z-0a1b2c", src); err != nil {
		t.Errorf("broken: %v", err)
	}
	in, err := r.OpenObject(t.Context(), "20260301T040507Z-0a1b2c", "swarm.tar")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if n, err := io.Copy(io.Discard, &everyBytes{r: in, each: 25 << 20, do: broken.cut}); err != nil || n != 60<<20 {
		t.Errorf("read %d: %v", n, err)
	}
	broken.cutAt.Store(1) // for good
	_, err = r.List(t.Context())
	says(t, err, "can't be reached")
}

// everyBytes does something each time that so many bytes were read.
type everyBytes struct {
	r    io.Reader
	each int64
	do   func()
	n    int64
}

func (x *everyBytes) Read(p []byte) (int, error) {
	n, err := x.r.Read(p)
	if x.n/x.each != (x.n+int64(n))/x.each {
		x.do()
	}
	x.n += int64(n)
	return n, err
}

// An upload that is cancelled leaves nothing: no object, and no part that takes
// room.
func TestCancelledUpload(t *testing.T) {
	s := newServer(t)
	r := repositoryAt(t, s.url())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := store(ctx, r, backupID, &trigger{r: noise(100 << 20), at: 60 << 20, do: cancel})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left := s.objects(); left != "" || s.parts() != 0 {
		t.Errorf("left: %q and %d parts", left, s.parts())
	}
}

func init() {
	roles["uploader"] = uploader
}

// uploader stores a stream of UPLOAD_MB; with UPLOAD_HALF it says when half of it is
// read, and goes no further.
func uploader() {
	ctx := context.Background()
	r, err := repository.Open(ctx, repository.Options{Name: "offsite", URL: os.Getenv("UPLOAD_URL"), Cluster: "prod", Plaintext: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	size, _ := strconv.ParseInt(os.Getenv("UPLOAD_MB"), 10, 64)
	src := io.Reader(noise(size << 20))
	if os.Getenv("UPLOAD_HALF") != "" {
		src = &trigger{r: src, at: size << 19, do: func() { fmt.Println("half"); time.Sleep(time.Hour) }}
	}
	if err := store(ctx, r, backupID, src); err != nil {
		fmt.Println(err)
		return
	}
}

func (s *server) uploading(megabytes int) (*exec.Cmd, *bufio.Scanner) {
	s.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"=uploader", "UPLOAD_URL="+s.url(), fmt.Sprintf("UPLOAD_MB=%d", megabytes), "UPLOAD_HALF=yes")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// A process that is killed in the middle of an upload leaves no object; its
// parts are ended by a later sweep, and not while they could be somebody's work.
func TestKilledUpload(t *testing.T) {
	s := newServer(t)
	cmd, out := s.uploading(120)
	out.Scan()
	if out.Text() != "half" {
		t.Fatal(out.Text())
	}
	for deadline := time.Now().Add(30 * time.Second); s.parts() == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no part was ever uploaded")
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	r := repositoryAt(t, s.url())
	if list, err := r.List(t.Context()); err != nil || len(list) != 0 || s.objects() != "" {
		t.Errorf("seen: %v %q, %v", list, s.objects(), err)
	}
	if _, err := r.Sweep(t.Context(), nil, time.Hour, time.Now().Add(2*time.Hour)); err != nil || s.parts() == 0 {
		t.Errorf("an upload of today was ended: %v", err)
	}
	keep := func(string) bool { return true }
	if _, err := r.Sweep(t.Context(), keep, time.Hour, time.Now().Add(48*time.Hour)); err != nil || s.parts() == 0 {
		t.Errorf("an upload that is kept was ended: %v", err)
	}
	removed, err := r.Sweep(t.Context(), nil, time.Hour, time.Now().Add(48*time.Hour))
	if err != nil || s.parts() != 0 || len(removed) != 1 {
		t.Errorf("%d parts are left after removing %v: %v", s.parts(), removed, err)
	}
	if err := store(t.Context(), r, backupID, strings.NewReader("again")); err != nil {
		t.Error(err)
	}
}
