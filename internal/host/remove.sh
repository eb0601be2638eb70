# Removes what a run left. Arguments: DIR RUNDIR ID TOKEN.
dir=$1 rundir=$2 id=$3 token=$4
need systemctl
run=$dir/runs/$id
backup=requeen-backup-$id.service
rescue=requeen-rescue-$id
lock_host
if [ -f "$run/meta" ]; then
	guard_machine "$(meta "$run" machine_id)"
	guard_token "$(meta "$run" cluster)" "$token"
	tries=0
	while running "$backup" || running "$rescue.service"; do
		reached "$run" done failed && [ $tries -lt 50 ] || refuse 106 "the unit of run $id is still at work"
		tries=$((tries + 1))
		sleep 0.1
	done
	service=$(meta "$run" service)
	if reached "$run" stopping && ! reached "$run" started &&
		! [ "$(systemctl is-active "$service" 2>/dev/null)" = active ]; then
		refuse 108 "run $id left $service stopped; it has to be started first"
	fi
elif running "$backup" || running "$rescue.service"; then
	refuse 106 "the unit of run $id is still at work"
fi
systemctl stop "$rescue.timer" 2>/dev/null
systemctl reset-failed "$backup" "$rescue.service" 2>/dev/null
rm -rf "$run" "$dir/runs/.new.$id" && rm -f "$rundir/$id.key" || refuse 101 "$run can't be removed"
