# Starts an engine that is stopped, by a cut run or else, or restarts it. Arguments: DIR
# MACHINE CLUSTER TOKEN SERVICE SOCKET CERTIFICATE SWARM RESTART; the last three may be
# empty. Cut between stop and start it leaves the engine stopped, and is called again.
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
[ -z "$9" ] || stop_engine
start_service
runs_started
