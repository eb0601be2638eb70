//go:build lab

package objectstore

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/repository"
)

const (
	accessKey  = "AKIAREQUEENTEST"
	secretKey  = "hush-hush-hush"
	bucketName = "backups"
)

// roles are what the test binary does as another process.
var roles = map[string]func(){}

const roleVar = "REQUEEN_TEST_ROLE"

func TestMain(m *testing.M) {
	repository.RunJanitorIfAsked()
	if role, ok := roles[os.Getenv(roleVar)]; ok {
		role()
		os.Exit(0)
	}
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// built is the server's program, made once.
var built struct {
	sync.Once
	dir string
	err error
}

func program(t *testing.T) string {
	t.Helper()
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "requeen-objectstore-"); built.err != nil {
			return
		}
		cmd := exec.Command("go", "install", Gateway)
		cmd.Env = append(os.Environ(), "GOBIN="+built.dir, "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go install %s: %w\n%s", Gateway, err, out)
		}
	})
	if built.err != nil {
		t.Fatalf("the S3 server can't be built; it needs the Go module proxy once: %v", built.err)
	}
	return filepath.Join(built.dir, "versitygw")
}

// server is an S3 server with one bucket.
type server struct {
	t       *testing.T
	program string
	root    string // what it serves
	address string
	cmd     *exec.Cmd
	said    bytes.Buffer
}

// newServer starts a server, with the right credentials in the environment.
func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, program: program(t), root: t.TempDir(), address: freeAddress(t)}
	for _, dir := range []string{"data", "meta", filepath.Join("data", bucketName)} {
		if err := os.Mkdir(filepath.Join(s.root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "", "AWS_REGION": "",
	} {
		t.Setenv(name, value)
	}
	s.start()
	t.Cleanup(s.kill)
	return s
}

// start runs the server and waits until it answers. Its metadata lies beside
// the data, so that any file system will do.
func (s *server) start() {
	s.t.Helper()
	s.said.Reset()
	s.cmd = exec.Command(s.program, "--access", accessKey, "--secret", secretKey, "--port", s.address, "--keep-alive", "--quiet",
		"posix", "--sidecar", filepath.Join(s.root, "meta"), filepath.Join(s.root, "data"))
	s.cmd.Stdout, s.cmd.Stderr = &s.said, &s.said
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		r, err := http.Get("http://" + s.address + "/")
		if err == nil {
			r.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			s.kill()
			s.t.Fatalf("the S3 server does not answer: %v\n%s", err, s.said.String())
		}
	}
}

func (s *server) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *server) url() string { return urlAt(s.address) }

func urlAt(address string) string {
	return "s3://" + bucketName + "/place?endpoint=http://" + address
}

// repositoryAt opens a repository whose backups are in clear.
func repositoryAt(t *testing.T, url string) *repository.Repository {
	t.Helper()
	r, err := repository.Open(context.Background(), repository.Options{Name: "offsite", URL: url, Cluster: "prod", Plaintext: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// objects are the files that the server keeps under the repository.
func (s *server) objects() string {
	var list []string
	root := filepath.Join(s.root, "data", bucketName, "place")
	_ = filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(root, path)
			list = append(list, rel)
		}
		return nil
	})
	return strings.Join(list, " ")
}

// parts tells how many parts of unfinished uploads the server keeps.
func (s *server) parts() int {
	n := 0
	_ = filepath.WalkDir(filepath.Join(s.root, "data", bucketName), func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.Contains(path, ".sgwtmp/multipart") {
			n++
		}
		return nil
	})
	return n
}
