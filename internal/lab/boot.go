package lab

import (
	"bufio"
	"context"
	_ "embed" // boot.sh and cut.sh
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

//go:embed boot.sh
var bootScript string

//go:embed cut.sh
var cutScript string

const bootTimeout = 2 * time.Minute

// boot starts a node that does not run, and waits until its sshd and its
// engine answer.
func (s *state) boot(ctx context.Context, n Node) error {
	pid, err := s.leader(n.Name)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	if pid == 0 {
		if err := s.launch(n, ended); err != nil {
			return fmt.Errorf("node %s can't be booted: %w", n.Name, err)
		}
	}
	if err := s.waitReady(ctx, n, ended); err != nil {
		return fmt.Errorf("node %s did not come up: %w\n%s\nRun the same command again, or see %s",
			n.Name, err, s.bootEvidence(n.Name), s.nodeDir(n.Name, "console.log"))
	}
	return nil
}

// launch starts the node's systemd-nspawn in a session of its own: it lives on
// when this process and its terminal end.
func (s *state) launch(n Node, ended chan<- error) error {
	for file, text := range map[string]string{"boot.sh": bootScript, "cut.sh": cutScript} {
		if err := writeFile(s.nodeDir(n.Name, file), []byte(text), 0o700); err != nil {
			return err
		}
	}
	console, err := os.OpenFile(s.nodeDir(n.Name, "console.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer console.Close()
	cmd := exec.Command("sh", s.nodeDir(n.Name, "boot.sh"))
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", console, console
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	view := "0"
	if sameDevice("/", s.layer(n)) {
		view = "1"
	}
	all, from := s.cutAddresses(n)
	cmd.Env = append(os.Environ(), "NODE="+n.Name, "NODE_DIR="+s.nodeDir(n.Name), "LAYER="+filepath.Join(s.layer(n), "root"),
		"VIEW="+view, "SWITCH="+s.switchFile(), "ADDRESS="+n.Address, "MAC="+mac(n.Address), "CGROUP="+cgroupName(s.Name),
		"TREES="+strings.Join(hierarchies(), " "), "CUT_ALL="+all, "CUT_FROM="+from)
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { ended <- cmd.Wait() }()
	return nil
}

// sameDevice says whether two paths lie on one file system.
func sameDevice(a, b string) bool {
	var x, y syscall.Stat_t
	return syscall.Stat(a, &x) == nil && syscall.Stat(b, &y) == nil && x.Dev == y.Dev
}

// waitReady waits for the node's sshd and engine. A node that is cut off from
// the operator is not asked for its sshd.
func (s *state) waitReady(ctx context.Context, n Node, ended <-chan error) error {
	cut := slices.Contains(n.Cut, CutAll) || slices.Contains(n.Cut, CutOperator)
	ssh, engine := cut, false
	var last error
	err := WaitFor(ctx, bootTimeout, "its sshd and its engine to answer", func() (bool, error) {
		select {
		case err := <-ended:
			if code := (*exec.ExitError)(nil); errors.As(err, &code) && code.ExitCode() == 75 {
				return false, nil // somebody else is booting it
			}
			return false, fmt.Errorf("its systemd-nspawn ended (%v)", err)
		default:
		}
		if !engine {
			last = s.engine(n.Name).ping(ctx)
			engine = last == nil
		}
		if engine && !ssh {
			last = greet(n.Address)
			ssh = last == nil
		}
		return ssh && engine, nil
	})
	if err != nil && last != nil {
		return fmt.Errorf("%w (last: %w)", err, last)
	}
	return err
}

// greet waits for the first line of an sshd.
func greet(address string) error {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(address, "22"), time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "SSH-2.0-") {
		err = fmt.Errorf("port 22 of %s greets with %q", address, strings.TrimSpace(line))
	}
	return err
}

// bootEvidence is what explains a failed boot.
func (s *state) bootEvidence(node string) string {
	var b strings.Builder
	if data, err := os.ReadFile(s.nodeDir(node, "console.log")); err == nil {
		fmt.Fprintf(&b, "The end of its console:\n%s\n", tail(string(data), 20))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := s.exec(ctx, node, "systemctl --failed --no-legend --plain; systemctl is-active docker ssh; journalctl -q --no-pager -n 15 -u docker -u containerd -u ssh || true")
	if err == nil {
		fmt.Fprintf(&b, "Its failed units, and the journal of docker, containerd and ssh:\n%s", out)
	}
	return strings.TrimRight(b.String(), "\n")
}

// exec runs a shell script as root on a node that runs, without its network.
func (s *state) exec(ctx context.Context, node, script string) (string, error) {
	pid, err := s.leader(node)
	if err != nil {
		return "", err
	}
	if pid == 0 {
		return "", fmt.Errorf("node %s does not run; boot it: requeen lab up, or Lab.StartNode", node)
	}
	cmd := exec.CommandContext(ctx, "nsenter", fmt.Sprintf("--target=%d", pid), "--all", "--wdns=/root",
		"env", "-i", "HOME=/root", "USER=root", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"sh", "-c", script)
	out, err := output(cmd)
	if err != nil {
		return out, fmt.Errorf("on node %s: %w", node, err)
	}
	return out, nil
}

// kill ends a node at once, as a power cut would.
func (s *state) kill(ctx context.Context, node string) error {
	tree, err := identity()
	if err != nil {
		return err
	}
	name := filepath.Join(cgroupName(s.Name), node)
	if err := killGroup(ctx, filepath.Join(tree, name)); err != nil {
		return fmt.Errorf("node %s can't be killed: %w", node, err)
	}
	return removeGroup(ctx, name)
}
