package lab

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// need is a command of the machine that a lab can't do without, and the
// Debian package that brings it.
type need struct{ command, pkg string }

var needs = []need{
	{"systemd-nspawn", "systemd-container"},
	{"ip", "iproute2"},
	{"nsenter", "util-linux"},
	{"unshare", "util-linux"},
	{"flock", "util-linux"},
	{"mount", "mount"},
	{"ssh", "openssh-client"},
	{"ssh-keygen", "openssh-client"},
	{"age-keygen", "age"},
	{"go", "golang-go"},
}

// layerPackages are installed into the nodes' base layer, never on the machine.
var layerPackages = []string{"docker.io", "containerd", "runc", "openssh-server", "sudo", "iptables", "iproute2",
	"systemd", "systemd-sysv", "dbus", "ca-certificates", "tar", "zstd"}

// missingPackages are those of the needed packages that bring a command which
// the machine does not have.
func missingPackages(look func(string) (string, error)) []string {
	var missing []string
	for _, n := range needs {
		if _, err := look(n.command); err != nil && !slices.Contains(missing, n.pkg) {
			missing = append(missing, n.pkg)
		}
	}
	return missing
}

// ensurePackages installs what is missing where that is allowed, and names it
// where not.
func ensurePackages(ctx context.Context, install bool, say Progress) error {
	missing := missingPackages(exec.LookPath)
	if len(missing) == 0 {
		return nil
	}
	if !install {
		return fmt.Errorf("this machine lacks packages that a lab needs: %s; run again with -install to have them installed, "+
			"or install them yourself: apt-get install --no-install-recommends %[1]s", strings.Join(missing, " "))
	}
	return installPackages(ctx, missing, say)
}

// installScript installs packages without starting a daemon: what package
// scripts start daemons with is covered by `true`, in a mount namespace that
// ends with the script.
const installScript = `
for starter in /usr/sbin/invoke-rc.d /usr/bin/deb-systemd-invoke; do
	if [ -e "$starter" ]; then mount --bind /bin/true "$starter"; fi
done
export DEBIAN_FRONTEND=noninteractive
exec apt-get install -y -q --no-install-recommends --no-upgrade "$@"
`

// pinToInstalled asks for the systemd-container of the systemd that is
// installed where the archive has it: any other would upgrade systemd itself.
func pinToInstalled(pkgs []string, installed, madison string) []string {
	version := ""
	for line := range strings.Lines(installed) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "systemd" {
			version = f[1]
		}
	}
	out := slices.Clone(pkgs)
	i := slices.Index(out, "systemd-container")
	if i < 0 || version == "" {
		return out
	}
	for line := range strings.Lines(madison) {
		if f := strings.Split(line, "|"); len(f) == 3 && strings.TrimSpace(f[1]) == version {
			out[i] += "=" + version
			break
		}
	}
	return out
}
