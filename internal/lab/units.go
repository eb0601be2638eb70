package lab

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// allowed are the units that may be enabled on a node; any other that the
// machine's image enables is masked, whatever it is.
var allowed = []string{
	"containerd.service", "docker.service", "docker.socket", "ssh.service", "dbus.service", "dbus.socket",
	"requeen-lab.service", "remote-fs.target", "sudo.service",
}

// unwanted are masked though nothing in /etc enables them: they would change
// what the nodes share with the machine (clock, kernel settings, devices), or
// take time at every boot.
var unwanted = []string{
	"console-getty.service", "getty-static.service", "getty.target", "e2scrub_reap.service", "ldconfig.service",
	"dev-hugepages.mount", "dev-mqueue.mount", "sys-kernel-config.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
	"sys-fs-fuse-connections.mount", "proc-sys-fs-binfmt_misc.automount", "proc-sys-fs-binfmt_misc.mount", "systemd-binfmt.service",
	"kmod-static-nodes.service", "systemd-modules-load.service", "systemd-sysctl.service", "systemd-random-seed.service",
	"systemd-udevd.service", "systemd-udevd-control.socket", "systemd-udevd-kernel.socket", "systemd-udev-trigger.service",
	"systemd-networkd.service", "systemd-networkd.socket", "systemd-network-generator.service", "systemd-resolved.service",
	"systemd-timesyncd.service", "systemd-pstore.service", "systemd-hwdb-update.service", "systemd-update-utmp.service",
	"systemd-update-utmp-runlevel.service", "systemd-firstboot.service", "systemd-boot-update.service", "systemd-rfkill.socket",
	"systemd-journal-flush.service", "ifupdown-pre.service", "networking.service",
}

// unitsToMask are the units that the given roots enable, but for the allowed
// ones, and the unwanted ones. Later roots need not be complete.
func unitsToMask(roots ...string) []string {
	mask := slices.Clone(unwanted)
	for _, root := range roots {
		for _, pattern := range []string{"*.wants/*", "*.requires/*", "*.upholds/*"} {
			found, _ := filepath.Glob(filepath.Join(root, "etc/systemd/system", pattern))
			for _, f := range found {
				mask = append(mask, filepath.Base(f))
			}
		}
		// What has no unit of its own gets one made from its SysV script.
		found, _ := filepath.Glob(filepath.Join(root, "etc/rc[2-5S].d/S[0-9][0-9]*"))
		for _, f := range found {
			mask = append(mask, filepath.Base(f)[3:]+".service")
		}
	}
	slices.Sort(mask)
	return slices.DeleteFunc(slices.Compact(mask), func(u string) bool { return slices.Contains(allowed, u) })
}

// layerFile is a file that the lab writes into a layer.
type layerFile struct {
	path string
	text string
	mode os.FileMode
}

var layerFiles = []layerFile{
	{"etc/fstab", "", 0o644},
	{"etc/resolv.conf", "", 0o644},
	{"etc/ssh/sshd_config.d/requeen-lab.conf", `HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u
PermitRootLogin prohibit-password
PasswordAuthentication no
UseDNS no
`, 0o644},
	{"etc/sudoers.d/ops", "ops ALL=(ALL) NOPASSWD: ALL\n", 0o440},
	// systemd-nspawn mounts v1 controllers read-only, and an engine writes to them.
	{"etc/systemd/system/requeen-lab.service", `[Unit]
Description=Control groups that the engine may write to
DefaultDependencies=no
Before=sysinit.target containerd.service docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'for tree in /sys/fs/cgroup/*/; do mountpoint -q $tree && mount -o remount,bind,rw $tree; done; exit 0'
`, 0o644},
}

// unitFiles is what of this file goes into a layer, as one text.
func unitFiles() string {
	var b strings.Builder
	b.WriteString(strings.Join(unwanted, " ") + strings.Join(allowed, " ") + strings.Join(emptied, " "))
	for _, f := range layerFiles {
		b.WriteString(f.path + "\x00" + f.text)
	}
	return b.String()
}
