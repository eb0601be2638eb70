package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/requeen/requeen/internal/diag"
)

// fakeSSH is a directory with an ssh that runs commands on this machine and does
// what the files in the directory say.
type fakeSSH struct{ dir string }

const fakeSSHScript = `#!/bin/sh
D=%s
{ for a; do printf '%%s\n' "$a"; done; echo ====; } >>"$D/argv"
master= path= op= target=
while [ $# -gt 0 ]; do
	case $1 in
	-o)
		case $2 in
		ControlPath=*) path=${2#ControlPath=} ;;
		ControlMaster=yes) master=1 ;;
		esac
		shift 2 ;;
	-O) op=$2; shift 2 ;;
	-L) forward=$2; shift 2 ;;
	-F | -p | -e) shift 2 ;;
	--) target=$2; shift 2; break ;;
	*) echo "unexpected $1" >&2; exit 99 ;;
	esac
done
if [ -n "$master" ]; then
	echo x >>"$D/masters"
	echo "debug1: Server host key: ssh-ed25519 SHA256:jump" >&2
	echo "debug1: Server host key: ssh-ed25519 SHA256:thekey" >&2
	if [ -f "$D/refuse" ]; then cat "$D/refuse" >&2; exit 255; fi
	if [ -p "$D/hang" ]; then exec cat "$D/hang"; fi
	echo $$ >"$path"
	trap 'rm -f "$path"; exit 255' TERM
	echo "some motd"
	sh -c "$1"
	rm -f "$path"
	exit 0
fi
[ -f "$path" ] || { echo "no master" >&2; exit 255; }
case $op in
check) kill -0 "$(cat "$path")"; exit ;;
forward) echo "$forward" >>"$D/forwards"; ln -s "${forward#*:}" "${forward%%:*}"; exit ;;
esac
PATH=$D/bin:$PATH
export PATH
exec sh -c "$1"
`

func newFakeSSH(t *testing.T) *fakeSSH {
	t.Helper()
	f := &fakeSSH{dir: t.TempDir()}
	write(t, f.path("ssh"), fmt.Sprintf(fakeSSHScript, quote(f.dir)), 0o755)
	fakeID(t, f.path("bin"))
	return f
}

func (f *fakeSSH) path(name string) string { return filepath.Join(f.dir, name) }

// host makes a pool of one host that is reached by the fake.
func (f *fakeSSH) host(t *testing.T, target Target, o Options) *Host {
	t.Helper()
	target.Name = "m1"
	if target.Host == "" {
		target.Host = "m1.example.com"
	}
	o.testOnlySSH = f.path("ssh")
	o.testOnlyDir = f.path("state")
	p, err := NewPool([]Target{target}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	h, _ := p.Host("m1")
	return h
}

func TestRunQuotesWhatItPasses(t *testing.T) {
	h := newFakeSSH(t).host(t, Target{User: "root"}, Options{})
	args := []string{"", "a b", "it's", `"$HOME" \n`, "line\nbreak", "-n", "*", "ä"}
	out, err := h.Output(context.Background(), Command{
		Script: `for a; do printf '<%s>' "$a"; done; cat`, Args: args, Stdin: strings.NewReader("stdin's"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "<" + strings.Join(args, "><") + ">stdin's"
	if out != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

func TestRunTellsStatusAndStderr(t *testing.T) {
	h := newFakeSSH(t).host(t, Target{}, Options{})
	for _, status := range []int{1, 113, 254, 255} {
		err := h.Run(context.Background(), Command{Script: `echo first >&2; echo why >&2; exit "$1"`, Args: []string{fmt.Sprint(status)}})
		var exit *ExitError
		if !errors.As(err, &exit) || exit.Status != status || !strings.HasSuffix(err.Error(), ": why") {
			t.Errorf("status %d: got %v", status, err)
		}
	}
}

func TestOneMasterServesAll(t *testing.T) {
	f := newFakeSSH(t)
	h := f.host(t, Target{User: "root", Port: 2222}, Options{SSHConfig: "/etc/some", MaxSessions: 3})
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			if _, err := h.Output(context.Background(), Command{Script: "true"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := strings.Count(read(t, f.path("masters")), "x"); n != 1 {
		t.Errorf("%d masters were opened", n)
	}
	if h.HostKey() != "SHA256:thekey" {
		t.Errorf("host key %q", h.HostKey())
	}
	argv := read(t, f.path("argv"))
	master, sessions, _ := strings.Cut(argv, "====")
	for _, want := range []string{"-F\n/etc/some\n", "BatchMode=yes", "StrictHostKeyChecking=yes", "UpdateHostKeys=no", "-p\n2222\n", "--\nroot@m1.example.com\n"} {
		if !strings.Contains(master, want) {
			t.Errorf("the master was called without %q:\n%s", want, master)
		}
	}
	if strings.Contains(sessions, "/etc/some") || strings.Count(sessions, "ProxyCommand=exit 1") != 12 {
		t.Errorf("a session could connect by itself:\n%s", sessions)
	}
}

func TestDeadMasterIsReopened(t *testing.T) {
	f := newFakeSSH(t)
	h := f.host(t, Target{}, Options{})
	if err := h.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	h.master.kill()
	if _, err := h.Output(context.Background(), Command{Script: "true"}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(read(t, f.path("masters")), "x"); n != 2 {
		t.Errorf("%d masters were opened, want 2", n)
	}
}

func TestConnectionLostInTheMiddle(t *testing.T) {
	f := newFakeSSH(t)
	h := f.host(t, Target{}, Options{})
	if err := h.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	m := h.master
	// The session ends as ssh ends it when its master goes.
	err := h.Run(context.Background(), Command{Script: `kill -9 "$(cat "$1")"; rm "$1"; exit 255`, Args: []string{m.path}})
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "lost while a command ran") {
		t.Errorf("got %v", err)
	}
}

func TestContextEndsRun(t *testing.T) {
	f := newFakeSSH(t)
	h := f.host(t, Target{}, Options{})
	fifo := f.path("begun")
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		eventually(t, "the command runs", func() bool { return exists(fifo) })
		cancel()
	}()
	begin := time.Now()
	err := h.Run(ctx, Command{Script: `touch "$1"; exec sleep 1000`, Args: []string{fifo}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestConnectFailures(t *testing.T) {
	tests := []struct {
		name, stderr string
		kind         error
		code         string
		words        []string
	}{
		{"refused", "debug1: connect to address 10.0.0.1 port 22: Connection refused\nssh: connect to host m1.example.com port 22: Connection refused\n",
			ErrUnreachable, diag.HostUnreachable, []string{"Connection refused"}},
		{"timeout", "ssh: connect to host m1.example.com port 22: Connection timed out", ErrUnreachable, diag.HostUnreachable, []string{"timed out"}},
		{"no route", "ssh: connect to host m1.example.com port 22: No route to host", ErrUnreachable, diag.HostUnreachable, []string{"No route"}},
		{"name", "ssh: Could not resolve hostname m1.example.com: Name or service not known", ErrUnreachable, diag.HostUnreachable, []string{"resolve"}},
		{"silent", "", ErrUnreachable, diag.HostUnreachable, []string{"no reason"}},
		{"unknown key", "No ED25519 host key is known for m1.example.com and you have requested strict checking.\r\nHost key verification failed.\r\n",
			ErrHostKeyUnknown, diag.HostKeyUnknown, []string{"SHA256:thekey", "ssh-keyscan -p 2222 m1.example.com", "console"}},
		{"changed key", "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nOffending ED25519 key in /root/.ssh/known_hosts:3\r\nHost key verification failed.\r\n",
			ErrHostKeyChanged, diag.HostKeyChanged, []string{"alive", "SHA256:thekey", "ssh-keygen -f /root/.ssh/known_hosts -R '[m1.example.com]:2222'"}},
		{"auth", "root@m1.example.com: Permission denied (publickey,password).", ErrAuth, diag.HostUnreachable, []string{"refused the login", "ssh -p 2222 root@m1.example.com"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeSSH(t)
			write(t, f.path("refuse"), tt.stderr, 0o644)
			h := f.host(t, Target{User: "root", Port: 2222}, Options{})
			err := h.Connect(context.Background())
			var d diag.Diagnostic
			if !errors.Is(err, tt.kind) || !errors.As(err, &d) {
				t.Fatalf("got %v", err)
			}
			if d.Code != tt.code || d.Node != "m1" || d.Summary == "" || d.Remedy == "" {
				t.Errorf("diagnostic %+v", d)
			}
			for _, w := range tt.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q is not in: %v", w, err)
				}
			}
		})
	}
}

func TestConnectGivesUpWithContext(t *testing.T) {
	f := newFakeSSH(t)
	if err := mkfifo(f.path("hang")); err != nil {
		t.Fatal(err)
	}
	h := f.host(t, Target{}, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		eventually(t, "ssh runs", func() bool { return exists(f.path("masters")) })
		cancel()
	}()
	if err := h.Connect(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRootIsNeeded(t *testing.T) {
	f := newFakeSSH(t)
	write(t, f.path("bin/id"), "#!/bin/sh\n[ \"$1\" = -un ] && echo ops || echo 1000\n", 0o755)
	h := f.host(t, Target{User: "ops"}, Options{})
	err := h.Run(context.Background(), Command{Script: "true", Root: true})
	if !errors.Is(err, ErrSudo) || !strings.Contains(err.Error(), "ops ALL=(root) NOPASSWD: /bin/sh") {
		t.Errorf("got %v", err)
	}
	if err := h.Run(context.Background(), Command{Script: "true"}); err != nil {
		t.Errorf("a command that needs no root: %v", err)
	}
}

func TestSudo(t *testing.T) {
	f := newFakeSSH(t)
	h := f.host(t, Target{User: "ops", Become: "sudo"}, Options{})
	sudo := f.path("bin/sudo")
	write(t, sudo, "#!/bin/sh\n[ \"$1 $2\" = '-n --' ] || exit 99\nshift 2\nexec \"$@\"\n", 0o755)
	out, err := h.Output(context.Background(), Command{Script: `echo "$1"`, Args: []string{"a 'b'"}, Root: true})
	if err != nil || out != "a 'b'\n" {
		t.Errorf("got %q, %v", out, err)
	}
	for _, said := range []string{"sudo: a password is required", "Sorry, user ops is not allowed to execute '/bin/sh'", "sudo: sorry, you must have a tty to run sudo"} {
		write(t, sudo, "#!/bin/sh\necho "+quote(said)+" >&2\nexit 1\n", 0o755)
		err = h.Run(context.Background(), Command{Script: "true", Root: true})
		if !errors.Is(err, ErrSudo) || !strings.Contains(err.Error(), said) {
			t.Errorf("%s: got %v", said, err)
		}
	}
}

func TestDirectoryIsRemoved(t *testing.T) {
	f := newFakeSSH(t)
	h := f.host(t, Target{}, Options{})
	if err := h.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	dir := h.pool.dir
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("%v, %v", info, err)
	}
	m := h.master
	if err := h.pool.Close(); err != nil {
		t.Fatal(err)
	}
	if exists(dir) || m.alive() {
		t.Error("the directory or the master is left")
	}
	if err := h.Connect(context.Background()); err == nil {
		t.Error("a closed pool connects")
	}
}

func TestSweepLeavesWhatIsHeld(t *testing.T) {
	base := t.TempDir()
	t.Setenv("TMPDIR", base)
	if len(base) > 30 {
		base = "/tmp"
	}
	held, err := NewPool(nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	gone, err := os.MkdirTemp(base, dirPrefix)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(gone, "lock"), "", 0o600)
	again, err := NewPool(nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if exists(gone) || !exists(held.dir) {
		t.Errorf("left behind: %v, held: %v", exists(gone), exists(held.dir))
	}
}

func TestTargets(t *testing.T) {
	for _, bad := range []Target{
		{Name: "a"}, {Name: "a", Host: "-oProxyCommand=x"}, {Name: "a", Host: "h", User: "-l"}, {Name: "a", Host: "h;x"},
		{Name: "a", Host: "$(x)"}, {Name: "a", Host: "h", User: "u`x`"}, {Name: "a", Host: "h h"}, {Name: "a", Host: "h", Port: 70000},
		{Name: "a", Host: "h", Become: "doas"}, {Host: "h"},
	} {
		if _, err := NewPool([]Target{bad}, Options{}); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
	for want, good := range map[string]Target{
		"root@10.0.0.1": {Name: "a", User: "root", Host: "10.0.0.1"}, "h:2222": {Name: "a", Host: "h", Port: 2222},
		"local": {Name: "a", Local: true}, "root@fd00::1": {Name: "a", User: "root", Host: "fd00::1"},
	} {
		p, err := NewPool([]Target{good}, Options{})
		if err != nil {
			t.Errorf("%+v: %v", good, err)
			continue
		}
		h, _ := p.Host("a")
		if h.Target().String() != want {
			t.Errorf("got %s, want %s", h.Target(), want)
		}
		p.Close()
	}
}

func TestTailKeepsBothEnds(t *testing.T) {
	b := &tail{max: 8, keep: true}
	for _, s := range []string{"begin", strings.Repeat("x", 100), "the end"} {
		if n, err := b.Write([]byte(s)); n != len(s) || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := b.String(); !bytes.HasPrefix([]byte(got), []byte("begin")) || !strings.HasSuffix(got, "the end") || len(got) > 16 {
		t.Errorf("kept %q", got)
	}
}
