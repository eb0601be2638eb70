# Guards an effect that goes through the engine's API, which no script can: holds the
# host's lock until its standard input ends, and says when the effect may begin. Arguments:
# DIR CLUSTER TOKEN MACHINE RECOVERY CERTIFICATE SWARM; the last three may be empty.
# Nobody's lock outlasts limit, so that a machine that fell asleep keeps no one away.
dir=$1 cluster=$2 token=$3 machine=$4 recovery=$5 certificate=$6
need timeout cat readlink sync
lock_host
guard_machine "$machine"
guard_token "$cluster" "$token"
if [ -n "$recovery" ] && [ -e "$dir/recoveries/$recovery/hold" ]; then
	refuse 111 "recovery $recovery holds the engine of this host"
fi
if [ -n "$certificate" ]; then
	crt=$7/certificates/swarm-node.crt
	have=$(digest "$crt")
	[ "$have" = "$certificate" ] || refuse 101 "$crt has sha256 ${have:-none}, not $certificate"
fi
echo requeen-guarded
timeout "${guard_seconds:-90}" cat >/dev/null || refuse 103 "the engine did not end in time what was asked of it; look whether it was done"
