# What the commands of a recovery share: where its things are, what must be true
# before anything is changed, and moves that may be cut anywhere. What held state
# is renamed, never deleted, and what a later move rests on is synced before it.
surgery() { # DIR ID CLUSTER TOKEN MACHINE CERTIFICATE SERVICE SOCKET SWARM
	dir=$1 id=$2 cluster=$3 token=$4 machine=$5 certificate=$6 service=$7 socket=$8
	need systemctl tar cp mv stat df timeout readlink sha256sum base64 sync
	swarm=$(readlink -m "$9") || refuse 101 "$9 can't be resolved"
	parent=${swarm%/*}
	rec=$dir/recoveries/$id
	hold=$rec/hold
	units=${units_dir:-/etc/systemd/system}
	layout=beside base=$swarm.requeen-$id
	mounts_at "$swarm"
	if [ -n "$mounted_at" ] || { [ -d "$swarm" ] && [ "$(stat -c %d "$swarm")" != "$(stat -c %d "${parent:-/}")" ]; }; then
		layout=inside base=$swarm/.requeen-$id # nothing can be renamed out of it
	fi
	aside=$base new=$base.new
}

digest() { # FILE
	[ -f "$1" ] || return 0
	sum=$(sha256sum <"$1")
	echo "${sum%% *}"
}

# Once set aside, the certificate that the plan knew is found there.
guard_certificate() {
	crt=$swarm/certificates/swarm-node.crt
	have=$(digest "$crt")
	[ "$have" != "$certificate" ] || return 0
	if [ -z "$certificate" ]; then
		! reached "$rec" swapping || return 0
		refuse 101 "$crt is there, with sha256 $have: this host was taken for one without state"
	fi
	[ "$(digest "$aside/certificates/swarm-node.crt")" != "$certificate" ] || return 0
	refuse 101 "$crt has sha256 ${have:-none}, not $certificate"
}

guards() {
	lock_host
	guard_machine "$machine"
	guard_token "$cluster" "$token"
	guard_certificate
}

guard_mounts() { # what is mounted inside would be moved along, or not at all
	mounts_at "$swarm"
	[ -z "$mounted_below" ] || refuse 101 "something is mounted on $mounted_below, inside the swarm directory"
}

recovery_meta() {
	printf '%s\n' "id=$id" "cluster=$cluster" "machine_id=$machine" "service=$service" "socket=$socket" \
		"swarm_dir=$swarm" "layout=$layout" "base=$base"
}

# A file system that is no longer mounted, or a unit of another name, ends here.
same_recovery() {
	[ -f "$rec/meta" ] || refuse 101 "recovery $id has not begun on this host"
	[ "$(cat "$rec/meta")" = "$(recovery_meta)" ] ||
		refuse 101 "recovery $id began on this host with another unit, swarm directory or mount; compare $rec/meta"
}

# A recovery that was refused before it held or staged anything, for want of room as
# a rule, has changed nothing: it begins anew where another file system was mounted
# meanwhile, or the unit has another name.
forget_begun() {
	{ [ -f "$rec/meta" ] && [ "$(cat "$rec/meta")" != "$(recovery_meta)" ] && ! [ -e "$hold" ]; } || return 0
	for phase in held fencing fenced staged swapping swapped lifted; do
		! reached "$rec" $phase || return 0
	done
	while IFS= read -r line; do
		case $line in base=/*) rm -rf "${line#base=}.new" "${line#base=}".part.* ;; esac
	done <"$rec/meta"
	rm -rf "$rec" || refuse 104 "$rec can't be removed"
}

open_recovery() {
	forget_begun
	if ! [ -f "$rec/meta" ]; then
		fresh=$dir/recoveries/.new.$id
		{ rm -rf "$fresh" && mkdir -p "$fresh" && recovery_meta >"$fresh/meta" && note "$fresh" begun '' &&
			sync "$fresh/meta" "$fresh/status" "$fresh" && mv -T "$fresh" "$rec" &&
			sync "$dir/recoveries" "$dir"; } || refuse 104 "$rec can't be written"
	fi
	same_recovery
	! reached "$rec" lifted || refuse 101 "recovery $id is over on this host: its engine was let go"
}

mark() { # PHASE: durably, once
	reached "$rec" "$1" && return
	{ note "$rec" "$1" '' && sync "$rec/status"; } || refuse 104 "$rec/status can't be written"
}

other_hold() { # ID: refuses when another recovery holds the host
	for h in "$dir"/recoveries/*/hold; do
		[ -e "$h" ] || continue
		o=${h%/hold}
		o=${o##*/}
		[ "$o" = "$1" ] || refuse 111 "recovery $o holds the engine of this host"
	done
}

is_down() {
	for u in "$service" ${socket:+"$socket"}; do
		case $(systemctl is-active "$u" 2>/dev/null) in
		inactive | failed) ;;
		*) return 1 ;;
		esac
	done
}

drop_in() { # UNIT
	echo "$units/$1.d/50-requeen-hold.conf"
}

hold_text() {
	printf '%s\n' '# By requeen: this engine must not start before its recovery lets it go.' \
		'[Unit]' "ConditionPathExists=!$hold"
}

need_held() {
	for u in "$service" ${socket:+"$socket"}; do
		{ [ -e "$hold" ] && [ "$(cat "$(drop_in "$u")" 2>/dev/null)" = "$(hold_text)" ]; } ||
			refuse 101 "recovery $id does not hold $u"
	done
	is_down || refuse 101 "$service is not down"
}

# What tells another invocation of the engine from the one that was stopped.
invocation() {
	systemctl show -p ActiveState -p MainPID -p InvocationID -p NRestarts \
		-p ActiveEnterTimestampMonotonic -p InactiveEnterTimestampMonotonic "$service"
}

place_hold() {
	{ hold_text >"$hold" && sync "$hold" "$rec"; } || refuse 104 "$hold can't be written"
	for u in "$service" ${socket:+"$socket"}; do
		conf=$(drop_in "$u")
		(umask 022 && mkdir -p "${conf%/*}" && hold_text >"$conf.new") &&
			sync "$conf.new" && mv -T "$conf.new" "$conf" && sync "${conf%/*}" "$units" ||
			refuse 104 "$conf can't be written; nothing was stopped"
	done
	systemctl daemon-reload || refuse 101 "systemd does not read its units again; nothing was stopped"
}

# To be called when no unit works; a timer may fire all the same before it is
# stopped.
disarm() {
	for r in "$dir"/runs/*/; do
		r=${r%/}
		[ -f "$r/meta" ] && systemctl stop "requeen-rescue-${r##*/}.timer" 2>/dev/null
	done
	in_flight -
}

# An engine that waits for a quorum can ignore SIGTERM for ever. Only its main
# process is killed: containers may be in its control group.
stop_engine() {
	timeout "${stop_seconds:-120}" systemctl stop ${socket:+"$socket"} "$service"
	[ $? -ne 124 ] || systemctl kill --kill-who=main -s KILL "$service"
	tries=0
	until is_down; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || refuse 101 "$service does not stop; it is held, so it does not start again either"
		sleep 0.1
	done
}

hold_engine() {
	other_hold "$id"
	in_flight -
	open_recovery
	disarm
	place_hold
	stop_engine
	mark held
}

start_service() {
	n=0
	while ! [ "$(systemctl is-active "$service" 2>/dev/null)" = active ]; do
		[ $n -lt 3 ] || refuse 1 "$service does not start; see systemctl status $service"
		n=$((n + 1))
		[ $n -eq 1 ] || sleep 1
		systemctl reset-failed "$service" ${socket:+"$socket"} 2>/dev/null
		timeout 120 systemctl start ${socket:+"$socket"} "$service"
	done
}

# Backup runs that had left the engine stopped have it back.
runs_started() {
	for r in "$dir"/runs/*/; do
		r=${r%/}
		if [ -f "$r/meta" ] && reached "$r" stopping && ! reached "$r" started; then
			note "$r" started 'by requeen, as the unit was gone'
			systemctl stop "requeen-rescue-${r##*/}.timer" 2>/dev/null
		fi
	done
	return 0
}

sync_tree() { # DIR
	for e in "$1"/* "$1"/.[!.]*; do
		if [ -d "$e" ] && ! [ -L "$e" ]; then
			sync_tree "$e" || return 1
		elif [ -f "$e" ]; then
			sync "$e" || return 1
		fi
	done
	sync "$1"
}

make_aside() {
	[ -d "$aside" ] && return
	{ mkdir -m 700 "$aside" && sync "${aside%/*}"; } || refuse 104 "$aside can't be made"
}

copy_certificates() { # TO-DIRECTORY: once; what is there already is the older one
	[ -d "$swarm/certificates" ] && ! [ -e "$1/certificates" ] || return 0
	{ rm -rf "$1/.certificates" && cp -a "$swarm/certificates" "$1/.certificates" &&
		sync_tree "$1/.certificates" && mv -T "$1/.certificates" "$1/certificates" && sync "$1"; } ||
		refuse 104 "the certificates can't be copied to $1"
}

# A failed join erases all that is in the swarm directory: where the set-aside is
# inside, the certificates lie outside as well.
save_certificates() {
	[ -d "$swarm/certificates" ] || return 0
	make_aside
	copy_certificates "$aside"
	[ "$layout" = beside ] || copy_certificates "$rec"
}

put_aside() { # NAME in the swarm directory; what was put aside before is kept
	[ -e "$swarm/$1" ] || [ -L "$swarm/$1" ] || return 0
	make_aside
	to=$aside/$1 n=0
	while [ -e "$to" ] || [ -L "$to" ]; do
		n=$((n + 1))
		to=$aside/$1.$n
	done
	{ mv -T "$swarm/$1" "$to" && sync "$aside" "$swarm"; } || refuse 101 "$swarm/$1 can't be moved to $to"
}

complete() { # DIR: refuses where a manager could not be started from it
	for f in swarm-node.crt swarm-node.key swarm-root-ca.crt; do
		[ -s "$1/certificates/$f" ] || refuse 101 "$1 has no certificates/$f"
	done
	! [ -e "$1/docker-state.json" ] || refuse 101 "$1 has a docker-state.json: the engine would not start inactive"
	for f in "$1"/raft/wal-v3-encrypted/*.wal; do
		[ -s "$f" ] && return
	done
	refuse 101 "$1 has no raft log"
}

tell_aside() {
	[ -d "$aside" ] || return 0
	printf 'aside=%s\n' "$(printf '%s' "$aside" | base64 | tr -d '\n')"
}
