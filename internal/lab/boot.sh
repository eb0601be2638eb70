# Boots one node and stays as long as it runs. Runs detached; every mount and
# link that it makes ends with the node's last process.
# Wants: NODE NODE_DIR LAYER VIEW SWITCH ADDRESS MAC CGROUP CUT_ALL CUT_FROM
set -eu

if [ "${STAGE-}" != inside ]; then
	exec 9>"$NODE_DIR/boot.lock"
	flock -n 9 || { echo "node $NODE runs already"; exit 75; }
	exec 3<"$SWITCH"
	for tree in $TREES; do
		mkdir -p "$tree/$CGROUP/$NODE"
		for group in "$tree/$CGROUP" "$tree/$CGROUP/$NODE"; do
			# v1 cpuset: a new group has no processor and no memory
			if [ -e "$group/cpuset.mems" ] && [ ! -e "$group/cgroup.controllers" ]; then
				cat "$tree/cpuset.cpus" >"$group/cpuset.cpus"
				cat "$tree/cpuset.mems" >"$group/cpuset.mems"
			fi
		done
		if [ -e "$tree/$CGROUP/cgroup.subtree_control" ]; then
			for c in $(cat "$tree/$CGROUP/cgroup.controllers"); do
				echo "+$c" >"$tree/$CGROUP/cgroup.subtree_control" || true
			done
		fi
		echo $$ >"$tree/$CGROUP/$NODE/cgroup.procs"
	done
	# 133 is systemd-nspawn's word for: the node asked to be booted again. Like
	# a real one it begins with new mounts and links, and its old disks.
	while :; do
		code=0
		STAGE=inside unshare --mount --net --propagation private sh "$0" || code=$?
		echo "node $NODE ended with $code"
		[ "$code" = 133 ] || exit "$code"
	done
fi
exec 9<&-

# The layer lies below /, and overlayfs refuses two lower layers one of which
# holds the other; a read-only view of / is a file system of its own.
mnt=$NODE_DIR/mnt
mount -t tmpfs -o mode=0700 requeen-lab "$mnt"
mkdir "$mnt/empty" "$mnt/view" "$mnt/root"
lower=/
if [ "$VIEW" = 1 ]; then
	mount -t overlay -o "ro,lowerdir=$mnt/empty:/" requeen-lab "$mnt/view"
	lower=$mnt/view
fi
mount -t overlay -o "lowerdir=$LAYER:$lower,upperdir=$NODE_DIR/upper,workdir=$NODE_DIR/work" requeen-lab "$mnt/root"

nsenter --net=/proc/self/fd/3 ip link del "$NODE" 2>/dev/null || true
ip link set lo up
ip link add host0 address "$MAC" type veth peer name "$NODE" netns /proc/self/fd/3
nsenter --net=/proc/self/fd/3 ip link set "$NODE" master br0
[ "$CUT_ALL" = 1 ] || nsenter --net=/proc/self/fd/3 ip link set "$NODE" up
ip addr add "$ADDRESS/24" broadcast + dev host0
ip link set host0 up
if [ -n "$CUT_FROM" ]; then
	chroot "$mnt/root" env CUT_FROM="$CUT_FROM" sh -eu <"$NODE_DIR/cut.sh"
fi
exec 3<&-

# systemd-nspawn keeps books in /run, and leaves them there when it is killed.
mount -t tmpfs -o mode=0755 requeen-lab /run
unset STAGE
# What systemd-nspawn denies by default, and an engine needs: /proc/sys of its
# own network, bpf for control groups, keyctl for containers.
exec env -i PATH="$PATH" LANG=C.UTF-8 SYSTEMD_NSPAWN_API_VFS_WRITABLE=network \
	systemd-nspawn --quiet --boot --directory="$mnt/root" --machine="$CGROUP-$NODE" --hostname="$NODE" \
	--register=no --keep-unit --console=pipe --capability=all --system-call-filter='bpf keyctl' \
	--network-namespace-path=/proc/self/ns/net --resolv-conf=off --timezone=off --link-journal=no \
	--bind="$NODE_DIR/docker:/var/lib/docker" --bind="$NODE_DIR/containerd:/var/lib/containerd"
