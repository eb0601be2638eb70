# Lets a held engine go, and starts it.
active() { [ "$(systemctl is-active "$service" 2>/dev/null)" = active ]; }

half_done() { # BEGUN DONE: refuses between the two
	! reached "$rec" "$1" || reached "$rec" "$2" ||
		refuse 101 "recovery $id was cut while it moved state on this host; that has to be finished first"
}

release() {
	for u in "$service" ${socket:+"$socket"}; do
		conf=$(drop_in "$u")
		rm -f "$conf" "$conf.new" || refuse 101 "$conf can't be removed"
		rmdir "${conf%/*}" 2>/dev/null
	done
	{ rm -f "$hold" && sync "$rec" "$units"; } || refuse 101 "$hold can't be removed"
	systemctl daemon-reload || refuse 101 "systemd does not read its units again"
}

surgery "$@"
lock_host
guard_machine "$machine"
guard_token "$cluster" "$token"
if ! [ -e "$hold" ] && active && { ! [ -f "$rec/meta" ] || reached "$rec" lifted; }; then
	exit 0
fi
guard_certificate
same_recovery
other_hold "$id"
half_done fencing fenced
half_done swapping swapped
in_flight -
release
start_service
mark lifted
runs_started
