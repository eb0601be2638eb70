package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
)

// Install installs what a measurement needs besides a lab: packages is the Debian
// package of each command. What is there already is left as it is.
func Install(ctx context.Context, packages map[string]string, say Progress) error {
	var missing []string
	for _, command := range slices.Sorted(maps.Keys(packages)) {
		if _, err := exec.LookPath(command); err != nil && !slices.Contains(missing, packages[command]) {
			missing = append(missing, packages[command])
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return installPackages(ctx, missing, say)
}

// installPackages installs packages and says so before.
func installPackages(ctx context.Context, missing []string, say Progress) error {
	say("installing on this machine: " + strings.Join(missing, " "))
	// A fresh machine has no lists of packages yet. One source that can't be
	// reached need not matter, so only the installation decides.
	_, updateErr := run(ctx, "apt-get", "update", "-q")
	installed, _ := run(ctx, "dpkg-query", "-W", "-f", "${Package} ${Version}\n", "systemd")
	madison, _ := run(ctx, "apt-cache", "madison", "systemd-container")
	args := pinToInstalled(missing, installed, madison)
	if _, err := run(ctx, "unshare", append([]string{"--mount", "--propagation", "private", "sh", "-euc", installScript, "sh"}, args...)...); err != nil {
		return fmt.Errorf("the packages %s can't be installed: %w", strings.Join(missing, " "), errors.Join(err, updateErr))
	}
	return nil
}
