# Starts an engine that is stopped, by a cut run or else. Arguments: DIR MACHINE
# CLUSTER TOKEN SERVICE SOCKET CERTIFICATE SWARM; the last two may be empty.
dir=$1 machine=$2 cluster=$3 token=$4 service=$5 socket=$6 certificate=$7
need systemctl timeout
lock_host
guard_machine "$machine"
guard_token "$cluster" "$token"
in_flight -
other_hold -
if [ -n "$certificate" ]; then
	crt=$8/certificates/swarm-node.crt
	have=$(digest "$crt")
	[ "$have" = "$certificate" ] || refuse 101 "$crt has sha256 ${have:-none}, not $certificate"
fi
start_service
runs_started
