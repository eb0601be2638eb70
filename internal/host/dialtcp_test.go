package host

import (
	"context"
	"net"
	"os"
	"testing"
	"time"
)

// ports are one that is listened on and one that is not.
func ports(t *testing.T) (open, closed string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	return l.Addr().String(), gone.Addr().String()
}

func TestDialTCP(t *testing.T) {
	open, closed := ports(t)
	for name, target := range map[string]Target{"local": {Local: true}, "bash": {User: "root"}} {
		t.Run(name, func(t *testing.T) {
			h := newFakeSSH(t).host(t, target, Options{})
			for addr, want := range map[string]TCPAnswer{open: TCPOpen, closed: TCPRefused} {
				if got, err := h.DialTCP(context.Background(), addr); got != want || err != nil {
					t.Errorf("%s: %s, %v, want %s", addr, got, err, want)
				}
			}
			for _, addr := range []string{"", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:x", "example.com:2377", "-o:1", "1.2.3.4/x:1"} {
				if got, err := h.DialTCP(context.Background(), addr); got != TCPUnknown || err == nil {
					t.Errorf("%q: %s, %v", addr, got, err)
				}
			}
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if got, err := h.DialTCP(ctx, open); got != TCPUnknown || err == nil {
				t.Errorf("given up: %s, %v", got, err)
			}
		})
	}
}

// What bash says when it can't connect, and what follows from it.
func TestDialTCPBySaying(t *testing.T) {
	for said, want := range map[string]TCPAnswer{
		"exit 124": TCPSilent,
		"echo 'bash: connect: Connection refused' >&2; exit 1":                      TCPRefused,
		"echo 'bash: connect: No route to host' >&2; exit 1":                        TCPSilent,
		"echo 'bash: connect: Connection timed out' >&2; exit 1":                    TCPSilent,
		"echo 'bash: connect: Network is unreachable' >&2; exit 1":                  TCPUnknown,
		"echo 'bash: /dev/tcp/1.2.3.4/2377: No such file or directory' >&2; exit 1": TCPUnknown,
	} {
		f := newFakeSSH(t)
		write(t, f.path("bin/timeout"), "#!/bin/sh\n"+said+"\n", 0o755)
		h := f.host(t, Target{}, Options{})
		if got, err := h.DialTCP(context.Background(), "1.2.3.4:2377"); got != want || (err != nil) != (want == TCPUnknown) {
			t.Errorf("%s: %s, %v, want %s", said, got, err, want)
		}
	}
}

// Without bash ssh connects; what it means is told by how it ends.
func TestDialTCPThroughSSH(t *testing.T) {
	for name, tt := range map[string]struct {
		forward string // what ssh -W does; say is its master's word
		want    TCPAnswer
	}{
		"open":       {"exit 0", TCPOpen},
		"hung":       {"echo 'debug1: mux_client_request_stdio_fwd: master session id: 2' >&2; exec sleep 60", TCPOpen},
		"refused":    {"say 'channel 2: open failed: connect failed: Connection refused'; exit 255", TCPRefused},
		"no route":   {"say 'channel 2: open failed: connect failed: No route to host'; exit 255", TCPSilent},
		"prohibited": {"say 'channel 2: open failed: administratively prohibited: open failed'; exit 255", TCPUnknown},
		"silent":     {"exec sleep 60", TCPSilent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeSSH(t)
			write(t, f.path("bin/bash"), "#!/bin/sh\nexit 127\n", 0o755)
			if err := os.Rename(f.path("ssh"), f.path("ssh.plain")); err != nil {
				t.Fatal(err)
			}
			write(t, f.path("ssh"), `#!/bin/sh
D=`+quote(f.dir)+`
case " $* " in
*' ControlMaster=yes '*)
	tail -n +1 -F "$D/log" >&2 2>/dev/null &
	trap 'kill $!' EXIT
	"$D/ssh.plain" "$@"
	exit ;;
*' -v -W 1.2.3.4:2377 '*)
	say() { echo "$1" >>"$D/log"; }
	`+tt.forward+` ;;
esac
exec "$D/ssh.plain" "$@"
`, 0o755)
			write(t, f.path("log"), "", 0o644)
			h := f.host(t, Target{}, Options{})
			begin := time.Now()
			got, err := h.DialTCP(context.Background(), "1.2.3.4:2377")
			if got != tt.want || (err != nil) != (tt.want == TCPUnknown) || time.Since(begin) > 15*time.Second {
				t.Errorf("%s, %v after %v, want %s", got, err, time.Since(begin), tt.want)
			}
		})
	}
}
