package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Options are what all hosts of a Pool share.
type Options struct {
	SSHConfig      string        // ssh -F; empty: ssh's own
	ConnectTimeout time.Duration // 0: 5 s
	MaxSessions    int           // at once a host; 0: 8 (sshd allows 10)
	ControlDir     string        // for control sockets; empty: a private directory, removed by Close
	Helper         string        // a requeen binary for the hosts; empty: this executable

	// testOnlySSH takes the place of the ssh client.
	testOnlySSH string
	// testOnlyDir takes the place of /var/lib/requeen, testOnlyRun of
	// /run/requeen, testOnlyEnv is added to the environment of local commands.
	testOnlyDir, testOnlyRun string
	testOnlyEnv              []string
}

// Pool holds one Host for each target, connected at its first use.
type Pool struct {
	o      Options
	hosts  map[string]*Host
	dir    string
	lock   *os.File // flock'ed while dir is in use; nil when the caller gave dir
	helper helperFile

	closeOnce sync.Once
	closeErr  error
}

// dirPrefix begins the names of pools' private directories. It is short because
// a socket's path may have 108 bytes, and ssh appends 17 to it for a moment.
const dirPrefix = "requeen-ssh-"

// NewPool checks the targets and makes the directory for control sockets. It
// contacts nobody.
func NewPool(targets []Target, o Options) (*Pool, error) {
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = 5 * time.Second
	}
	if o.MaxSessions <= 0 {
		o.MaxSessions = 8
	}
	if o.testOnlySSH == "" {
		o.testOnlySSH = "ssh"
	}
	p := &Pool{o: o, hosts: map[string]*Host{}, dir: o.ControlDir}
	p.helper.path = o.Helper
	for i, t := range targets {
		if err := t.validate(); err != nil {
			return nil, err
		}
		if _, twice := p.hosts[t.Name]; twice {
			return nil, fmt.Errorf("host: two targets are named %q", t.Name)
		}
		p.hosts[t.Name] = newHost(p, t, i)
	}
	if p.dir != "" {
		return p, os.MkdirAll(p.dir, 0o700)
	}
	return p, p.privateDir()
}

// privateDir makes the pool's own directory and removes those whose process is
// gone: a killed process can't remove its own.
func (p *Pool) privateDir() error {
	base := os.TempDir()
	if len(base) > 30 {
		base = "/tmp"
	}
	sweep(base)
	dir, err := os.MkdirTemp(base, dirPrefix)
	if err != nil {
		return fmt.Errorf("host: no directory for ssh's control sockets: %w", err)
	}
	// The lock file is there under its name only once it is locked: a sweep that
	// came in between would take the directory for one that nobody holds.
	making := filepath.Join(dir, "lock.making")
	f, err := os.OpenFile(making, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err == nil {
		err = os.Rename(making, filepath.Join(dir, "lock"))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("host: lock in %s: %w", dir, err), os.RemoveAll(dir))
	}
	p.dir, p.lock = dir, f
	return nil
}

// sweep removes the private directories that nobody holds any more. One whose
// lock file is not there yet is left alone: it may be in the making.
func sweep(base string) {
	dirs, _ := filepath.Glob(filepath.Join(base, dirPrefix+"*"))
	for _, dir := range dirs {
		f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|syscall.O_NOFOLLOW, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		_ = f.Close()
	}
}

// Host finds a host by its node's name.
func (p *Pool) Host(name string) (*Host, bool) {
	h, ok := p.hosts[name]
	return h, ok
}

// Close ends every connection and removes the private directory.
func (p *Pool) Close() error {
	p.closeOnce.Do(func() {
		var wg sync.WaitGroup
		for _, h := range p.hosts {
			wg.Go(func() { _ = h.Close() })
		}
		wg.Wait()
		if p.lock != nil {
			p.closeErr = errors.Join(os.RemoveAll(p.dir), p.lock.Close())
		}
	})
	return p.closeErr
}
