//go:build lab

package scenario

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/requeen/requeen/internal/lab/objectstore"
)

// inBucket has the backups lie at a real S3 server on this machine, whose directory is
// then what repository() leads to.
func (s *swarm) inBucket() {
	s.t.Helper()
	url, dir := s.bucketAt("127.0.0.1")
	s.edit("\"file://"+s.repository()+"\"", "\""+url+"\"")
	must(s.t, os.Symlink(dir, s.repository()))
}

// bucketAt starts a real S3 server at an address of this machine, gives requeen its
// credentials, and tells a bucket's URL and where its objects lie.
func (s *swarm) bucketAt(host string) (url, dir string) {
	s.t.Helper()
	root := s.t.TempDir()
	install := exec.CommandContext(s.ctx, "go", "install", objectstore.Gateway)
	install.Env = append(os.Environ(), "GOBIN="+root, "GOFLAGS=")
	if out, err := install.CombinedOutput(); err != nil {
		s.t.Fatalf("the S3 server can't be built; it needs the Go module proxy once: %v\n%s", err, out)
	}
	for _, dir := range []string{"data", "meta", "data/backups"} {
		must(s.t, os.Mkdir(filepath.Join(root, dir), 0o700))
	}
	l, err := net.Listen("tcp", host+":0")
	must(s.t, err)
	address := l.Addr().String()
	must(s.t, l.Close())
	server := exec.Command(filepath.Join(root, "versitygw"), "--access", "AKIAREQUEENTEST", "--secret", "hush-hush-hush", "--port", address, "--keep-alive", "--quiet",
		"posix", "--sidecar", filepath.Join(root, "meta"), filepath.Join(root, "data"))
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(s.t, server.Start())
	s.t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	s.eventually(time.Minute, "the S3 server to answer", func() (bool, error) {
		r, err := http.Get("http://" + address + "/")
		if err == nil {
			r.Body.Close()
		}
		return err == nil, nil
	})
	s.env = append(s.env, "AWS_ACCESS_KEY_ID=AKIAREQUEENTEST", "AWS_SECRET_ACCESS_KEY=hush-hush-hush", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	return "s3://backups?endpoint=http://" + address, filepath.Join(root, "data", "backups")
}
