# Takes a schedule away: first its timer, then its service, which finishes the step that
# it is in, then its files. It may be begun again. Arguments: DIR NAME CLUSTER TOKEN MACHINE.
dir=$1 name=$2 cluster=$3 token=$4 machine=$5
need systemctl
units=${units_dir:-/etc/systemd/system}
base=$dir/schedules/$name
unit=requeen-schedule-$name
guard_machine "$machine"
# Kept is the token only once the service has ended: a run that is under way brings back
# what it has stopped under its own, lower one.
passes_token "$cluster" "$token"
if [ -f "$units/$unit.timer" ]; then
	systemctl disable --quiet "$unit.timer"
	systemctl stop "$unit.timer"
fi
# Without the host's lock, which the run may wait for.
[ ! -f "$units/$unit.service" ] || systemctl stop "$unit.service" || refuse 106 "the service $unit.service does not end"
lock_host
guard_token "$cluster" "$token"
rm -f "$units/$unit.timer" "$units/$unit.service" "$units/.$unit.timer.new" "$units/.$unit.service.new" &&
	systemctl daemon-reload || refuse 101 "the units of $unit can't be removed"
systemctl reset-failed "$unit.service" 2>/dev/null
rm -rf "$base" || refuse 101 "$base can't be removed"
rmdir "$dir/schedules" 2>/dev/null
true
