//go:build lab

package objectstore

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/requeen/requeen/internal/repository"
)

// mostMemory is what a process may have at its peak, in kB, its mapped program included.
const mostMemory = 100_000

// peakOf is the most memory that a process had, in kB. It is asked before the process
// ends: what wait tells counts the parent's memory, too.
func peakOf(pid string) (kilobytes int) {
	status, _ := os.ReadFile("/proc/" + pid + "/status")
	for line := range strings.Lines(string(status)) {
		_, _ = fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes)
	}
	return kilobytes
}

func init() {
	roles["beside"] = func() {
		r, err := repository.Open(context.Background(), repository.Options{Name: "offsite", URL: os.Getenv("UPLOAD_URL"), Cluster: "prod", Plaintext: true, SideBySide: true})
		if err != nil {
			fmt.Println(err)
			return
		}
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				if _, err := r.PutAhead(context.Background(), backupID, fmt.Sprintf("volume-%d.tar", i), noise(200<<20), nil); err != nil {
					fmt.Println(err)
				}
			})
		}
		wg.Wait()
		fmt.Println(peakOf("self"))
	}
}

// Data of two nodes that are stored at the same time take no more memory than one.
func TestMemoryOfTwo(t *testing.T) {
	s := newServer(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"=beside", "UPLOAD_URL="+s.url())
	out, err := cmd.CombinedOutput()
	var kilobytes int
	if _, scanned := fmt.Sscan(string(out), &kilobytes); err != nil || scanned != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("two of 200 MB were stored with a peak of %d MB", kilobytes/1000)
	if kilobytes > mostMemory {
		t.Errorf("it had %d kB at its peak", kilobytes)
	}
}

// The whole program, with all that it maps, stays below 100 MB while it reads an archive,
// opens it, and stores it compressed and encrypted anew in a bucket, in parts.
func TestMemory(t *testing.T) {
	s := newServer(t)
	const megabytes = 300
	dir, from, to := t.TempDir(), key(t), key(t)
	nas := "file://" + filepath.Join(dir, "nas")
	r, err := repository.Open(t.Context(), repository.Options{Name: "nas", URL: nas, Cluster: "prod", Recipients: []string{from.Recipient().String()}})
	if err == nil {
		err = store(t.Context(), r, backupID, noise(megabytes<<20))
	}
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("from.txt", from.String())
	write("to.txt", to.String())
	write("a.rq.hcl", fmt.Sprintf(`cluster "prod" {}
node "m1" {
  role    = "manager"
  address = "192.0.2.1"
}
repository "nas" {
  url        = %q
  recipients = [%q]
  identity   = "from.txt"
}
repository "offsite" {
  url        = %q
  recipients = [%q]
  identity   = "to.txt"
}
`, nas, from.Recipient(), s.url(), to.Recipient()))
	kilobytes := s.peak(dir, "backup", "copy", "-from", "nas", "-to", "offsite", backupID)
	t.Logf("%d MB were stored with a peak of %d MB", megabytes, kilobytes/1000)
	if kilobytes > mostMemory {
		t.Errorf("it had %d kB at its peak", kilobytes)
	}
	offsite, err := repository.Open(t.Context(), repository.Options{Name: "offsite", URL: s.url(), Cluster: "prod", IdentityFile: filepath.Join(dir, "to.txt")})
	if err != nil {
		t.Fatal(err)
	}
	in, err := offsite.OpenObject(t.Context(), backupID, "swarm.tar")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if n, err := io.Copy(io.Discard, in); n != megabytes<<20 || err != nil {
		t.Errorf("%d bytes came back: %v", n, err)
	}
	kilobytes = s.peak(dir, "backup", "verify", "-repository", "offsite", "-level", "objects", backupID)
	t.Logf("they were read with a peak of %d MB", kilobytes/1000)
	if kilobytes > mostMemory {
		t.Errorf("reading it had %d kB at its peak", kilobytes)
	}
}

// peak runs the program and gives the most memory that it had, in kB: it is asked all
// the time, since a process that is over tells nothing.
func (s *server) peak(dir string, args ...string) (kilobytes int) {
	s.t.Helper()
	program := filepath.Join(dir, "requeen")
	if out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", program, "github.com/requeen/requeen/cmd/requeen").CombinedOutput(); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(program, append([]string{"-chdir=" + dir}, args...)...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	often := time.NewTicker(10 * time.Millisecond)
	defer often.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil {
				s.t.Fatalf("%v\n%s", err, said.String())
			}
			return kilobytes
		case <-often.C:
			kilobytes = max(kilobytes, peakOf(fmt.Sprint(cmd.Process.Pid)))
		}
	}
}

func key(t *testing.T) *age.X25519Identity {
	t.Helper()
	k, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return k
}
