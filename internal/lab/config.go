package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// writeKeys makes the operator's ssh pair and the repository's age identity.
func (s *state) writeKeys(ctx context.Context) error {
	for _, d := range []string{"ssh", "repository", "nodes"} {
		if err := os.MkdirAll(s.path(d), 0o700); err != nil {
			return err
		}
	}
	if err := makeKey(ctx, s.path("ssh", "id_ed25519"), "requeen lab "+s.Name); err != nil {
		return fmt.Errorf("making the lab's ssh key: %w", err)
	}
	if exists(s.path("identity.txt")) {
		return nil
	}
	text, err := run(ctx, "age-keygen")
	if err != nil {
		return fmt.Errorf("making the repository's age identity: %w", err)
	}
	return writeFile(s.path("identity.txt"), []byte(text), 0o600)
}

// writeConfig writes what an operator of this swarm would have: the
// configuration of requeen, and that of ssh.
func (s *state) writeConfig(ctx context.Context) error {
	recipient, err := run(ctx, "age-keygen", "-y", s.path("identity.txt"))
	if err != nil {
		return err
	}
	if err := writeFile(s.path("lab.rq.hcl"), []byte(s.configText(strings.TrimSpace(recipient))), 0o644); err != nil {
		return err
	}
	return s.writeSSH()
}

// writeSSH writes ssh's configuration and the nodes' host keys.
func (s *state) writeSSH() error {
	var known strings.Builder
	for _, n := range s.Nodes {
		key, err := os.ReadFile(s.nodeDir(n.Name, "upper", "etc", "ssh", "ssh_host_ed25519_key.pub"))
		if err != nil {
			return err
		}
		fmt.Fprintf(&known, "%s,%s %s", n.Name, n.Address, key)
	}
	if err := writeFile(s.path("ssh", "known_hosts"), []byte(known.String()), 0o600); err != nil {
		return err
	}
	return writeFile(s.path("ssh", "config"), []byte(s.sshText()), 0o600)
}

// configText is lab.rq.hcl.
func (s *state) configText(recipient string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# The swarm of lab %s. Before the first command:\n#   export RQ_SSH_CONFIG=%s\n\n", s.Name, s.path("ssh", "config"))
	fmt.Fprintf(&b, "cluster %q {\n", s.Name)
	if s.Autolock {
		b.WriteString("  unlock_key = file(\"unlock-key\")\n")
	}
	b.WriteString("}\n")
	for _, n := range s.swarmNodes() {
		fmt.Fprintf(&b, "\nnode %q {\n", n.Name)
		fmt.Fprintf(&b, "  address = %q\n  role    = %q\n", n.Address, n.Role)
		fmt.Fprintf(&b, "\n  connection {\n    ssh = %q\n  }\n}\n", "root@"+n.Address)
	}
	fmt.Fprintf(&b, `
repository "local" {
  url        = %q
  recipients = [%q]
  identity   = %q
}

backup "state" {
  repository = "local"
  max_age    = "24h"

  swarm {
    from = "follower"
  }
}
`, "file://"+s.path("repository"), recipient, s.path("identity.txt"))
	return b.String()
}

// sshText is the configuration for `ssh -F`: nothing of the user's own applies.
func (s *state) sshText() string {
	var b strings.Builder
	for _, n := range s.Nodes {
		fmt.Fprintf(&b, "Host %s\n  HostName %s\n\n", n.Name, n.Address)
	}
	names := make([]string, 0, len(s.Nodes))
	for _, n := range s.Nodes {
		names = append(names, n.Name)
	}
	fmt.Fprintf(&b, "Host %s.* %s\n  IdentityFile %s\n  IdentitiesOnly yes\n  UserKnownHostsFile %s\n  GlobalKnownHostsFile /dev/null\n"+
		"  StrictHostKeyChecking yes\n  HostKeyAlgorithms ssh-ed25519\n\n", s.Prefix, strings.Join(names, " "), s.path("ssh", "id_ed25519"), s.path("ssh", "known_hosts"))
	fmt.Fprintf(&b, "Host %s\n  User root\n", strings.Join(names, " "))
	return b.String()
}
