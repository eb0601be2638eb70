# Starts an engine that a cut run left stopped. Arguments: DIR MACHINE CLUSTER
# TOKEN SERVICE SOCKET.
dir=$1 machine=$2 cluster=$3 token=$4 service=$5 socket=$6
need systemctl timeout
lock_host
guard_machine "$machine"
guard_token "$cluster" "$token"
in_flight -
n=0
while ! [ "$(systemctl is-active "$service" 2>/dev/null)" = active ]; do
	[ $n -lt 3 ] || refuse 1 "$service does not start; see systemctl status $service"
	n=$((n + 1))
	[ $n -eq 1 ] || sleep 1
	systemctl reset-failed "$service" ${socket:+"$socket"} 2>/dev/null
	timeout 120 systemctl start ${socket:+"$socket"} "$service"
done
for r in "$dir"/runs/*/; do
	r=${r%/}
	if [ -f "$r/meta" ] && reached "$r" stopping && ! reached "$r" started; then
		note "$r" started 'by requeen, as the unit was gone'
		systemctl stop "requeen-rescue-${r##*/}.timer" 2>/dev/null
	fi
done
exit 0
