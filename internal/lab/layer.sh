# Builds the nodes' base layer in $OUT: upper becomes the layer. Runs in a mount
# namespace of its own, so nothing stays mounted.
# Wants: OUT PACKAGES; FROM (a layer to start from) or ""; SUITE URI KEYRING for a newer engine, or SUITE="".
set -eu
mkdir "$OUT/work" "$OUT/mnt"
if [ -n "$FROM" ]; then cp -a "$FROM" "$OUT/root"; else mkdir "$OUT/root"; fi
mount -t overlay -o "lowerdir=/,upperdir=$OUT/root,workdir=$OUT/work" requeen-lab "$OUT/mnt"
R=$OUT/mnt
mount -t proc proc "$R/proc"
mount -t sysfs -o ro sysfs "$R/sys"
mount --rbind /dev "$R/dev"
mount -t tmpfs tmpfs "$R/run"
mount -t tmpfs tmpfs "$R/tmp"
rm -f "$R/etc/resolv.conf"
cp -L /etc/resolv.conf "$R/etc/resolv.conf" # emptied when the layer is finished
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin

if [ -z "$FROM" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$R/usr/sbin/policy-rc.d"
	chmod 755 "$R/usr/sbin/policy-rc.d"
	rm -rf "$R/etc/docker" "$R/etc/containerd"
	if ! chroot "$R" apt-get install -y -q --no-install-recommends $PACKAGES; then
		chroot "$R" apt-get update -q
		chroot "$R" apt-get install -y -q --no-install-recommends $PACKAGES
	fi
	rm -f "$R/usr/sbin/policy-rc.d" "$R/.dockerenv" "$R"/etc/ssh/ssh_host_*
	chroot "$R" id ops >/dev/null 2>&1 || chroot "$R" useradd --create-home --user-group --shell /bin/bash ops
	chroot "$R" passwd -q -l ops
fi

if [ -n "$SUITE" ]; then
	# A private apt root: neither the machine's sources nor the nodes' know of it.
	A=$R/tmp/apt
	mkdir -p "$A/lists/partial" "$A/parts" "$A/debs"
	chmod 755 "$A" "$A/debs"
	echo "deb [signed-by=$KEYRING] $URI $SUITE main" >"$A/sources.list"
	printf 'Package: *\nPin: release n=%s\nPin-Priority: -1\n' "$SUITE" >"$A/preferences"
	apt() {
		chroot "$R" sh -c 'cd /tmp/apt/debs && exec apt-get -q -o Dir::Etc::sourcelist=/tmp/apt/sources.list -o Dir::Etc::sourceparts=/tmp/apt/parts \
			-o Dir::Etc::preferences=/tmp/apt/preferences -o Dir::Etc::preferencesparts=/tmp/apt/parts -o Dir::State::lists=/tmp/apt/lists \
			-o APT::Sandbox::User=root "$@"' apt "$@"
	}
	apt update
	apt download "docker.io/$SUITE" "containerd/$SUITE"
	# Unpacked over bookworm's, runc left alone: a newer one wants a newer libc.
	for deb in "$A"/debs/*.deb; do
		dpkg --fsys-tarfile "$deb" | tar -x -f - -C "$R" --keep-directory-symlink
		basename "$deb" >>"$OUT/debs"
	done
fi
