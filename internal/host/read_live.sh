# Writes what tells how far a raft log goes, of an engine that may be running, as
# a tar archive: certificates, snapshots, and only then the log, so that no
# snapshot is newer than the log (swarm-facts, finding 4). Argument: SWARM.
need tar readlink sha256sum
swarm=$(readlink -f "$1") && cd "$swarm" || refuse 101 "$1 is not a directory"
set --
for d in certificates raft/snap-v3-encrypted raft/wal-v3-encrypted; do
	[ -d "$d" ] && set -- "$@" "$d"
done
[ $# -gt 0 ] || refuse 101 "$swarm holds no swarm's state"
before=$(cat certificates/*.key certificates/*.crt 2>/dev/null | sha256sum)
tar --sparse --numeric-owner --ignore-failed-read --exclude='*.tmp' --transform='s,^,swarm/,S' -cf - "$@"
code=$?
[ $code -le 1 ] || exit $code # 1: a file changed while it was read
[ "$(cat certificates/*.key certificates/*.crt 2>/dev/null | sha256sum)" = "$before" ] ||
	refuse 109 "the certificates in $swarm changed while they were read"
