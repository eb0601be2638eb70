#!/bin/sh
# One backup of a swarm manager: stop, copy, start, unlock. It runs as a
# transient unit, by itself. Call: unit.sh run | rescue. Nothing may be slow
# between the stop and the start but the copy. Only sh, coreutils and systemd.
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export LC_ALL
umask 077
run=$(cd "$(dirname "$0")" && pwd) || exit 1
id=${run##*/}
copy=$run/copy/swarm
backup=requeen-backup-$id.service
rescue=requeen-rescue-$id
key='' job='' before='' socket_was=0 stopped=0 copied=0 tried=0

meta() { # KEY
	while IFS= read -r line; do
		[ "${line%%=*}" = "$1" ] && printf '%s\n' "${line#*=}" && return
	done <"$run/meta"
}
service=$(meta service) socket=$(meta socket) swarm=$(meta swarm_dir) down=$(meta down_max)
autolocked=$(meta autolocked) helper=$(meta helper) engine=$(meta engine_socket) fifo=$(meta fifo)

status() { # PHASE TEXT
	printf '%s %s %s\n' "$1" "$(date +%s.%N)" "$2" >>"$run/status"
}

reached() { # PHASE…
	while IFS=' ' read -r phase _; do
		for p; do
			[ "$phase" = "$p" ] && return 0
		done
	done <"$run/status"
	return 1
}

uptime() {
	read -r up _ </proc/uptime
	echo "${up%.*}"
}

active() { [ "$(systemctl is-active "$service" 2>/dev/null)" = active ]; }

# A shell acts on a signal only between commands, or in wait: so what takes long
# runs beside it.
beside() {
	"$@" &
	job=$!
	wait "$job"
	code=$?
	job=
	return "$code"
}

# systemd refuses the fourth start a minute until this.
reset_failed() { systemctl reset-failed "$service" $socket 2>/dev/null; }

# The socket goes with the service, as it can't be started after it.
start_once() {
	if [ "$socket_was" = 1 ]; then
		timeout 120 systemctl start "$socket" "$service"
	else
		timeout 120 systemctl start "$service"
	fi
	active
}

start_engine() { # SECONDS: for how long it is tried
	until_up=$(($(uptime) + $1))
	until start_once; do
		[ "$(uptime)" -lt "$until_up" ] || return 1
		reset_failed
		sleep 1
	done
}

unlock_engine() {
	[ "$autolocked" = 1 ] || return 0
	tried=1
	printf '%s' "$key" | "$helper" host-helper unlock --socket "$engine" --timeout 90s
	code=$?
	case $code in
	0) status unlocked '' ;;
	3) why="the engine refuses the unlock key, it was rotated meanwhile" ;;
	*) why="the engine could not be unlocked" ;;
	esac
	return "$code"
}

# bail TEXT: the way out after the stop was begun, by failure or signal.
bail() {
	trap : TERM INT HUP # not '': what it starts would ignore them too
	text=$1
	[ -z "$job" ] || { kill "$job" 2>/dev/null; wait "$job" 2>/dev/null; }
	if [ "$stopped" = 1 ]; then
		[ "$copied" = 1 ] || rm -rf "$copy"
		if start_engine 240; then
			reached started || status started ''
			[ "$tried" = 1 ] || unlock_engine || text="$text; $why"
			systemctl stop "$rescue.timer" 2>/dev/null
		else
			text="$text; the engine does not start"
		fi
	else
		systemctl stop "$rescue.timer" 2>/dev/null
	fi
	status failed "$text"
	exit 1
}

# The engine's state, and what tells another invocation of it from the one that
# was stopped.
invocation() {
	systemctl show -p ActiveState -p MainPID -p InvocationID -p NRestarts \
		-p ActiveEnterTimestampMonotonic -p InactiveEnterTimestampMonotonic "$service"
}

take_key() {
	[ "$autolocked" = 1 ] || return 0
	key=$(timeout 30 cat "$fifo")
	rm -f "$fifo"
	[ -n "$key" ] || bail "no unlock key came in 30 s; nothing was stopped"
}

stop_engine() {
	systemctl restart "$rescue.timer" && [ "$(systemctl is-active "$rescue.timer")" = active ] ||
		bail "the rescue timer is not armed; nothing was stopped"
	deadline=$(($(uptime) + down))
	[ -n "$socket" ] && systemctl is-active --quiet "$socket" && socket_was=1
	printf '%s\n' "socket_was=$socket_was" >>"$run/meta" && status stopping '' ||
		bail "the status can't be written; nothing was stopped"
	reset_failed # before the stop: between stop and start each command costs
	stopped=1
	beside systemctl stop $socket "$service" || bail "systemctl stop failed"
	before=$(invocation)
	case $before in
	*ActiveState=inactive* | *ActiveState=failed*) status stopped '' ;;
	*) bail "$service did not stop" ;;
	esac
}

copy_swarm() {
	real=$(readlink -f "$swarm") && [ -d "$real" ] || bail "$swarm is not a directory"
	left=$((deadline - $(uptime) - 20))
	[ "$left" -ge 5 ] || left=5
	beside timeout -k 5 "$left" cp -a --sparse=always "$real/." "$copy/" 2>"$run/cp.err"
	case $? in
	0) ;;
	124 | 137) bail "the copy was not done in $left s, which down_max leaves it" ;;
	*) bail "cp failed: $(head -c 300 "$run/cp.err" | tr '\n' ' ')" ;;
	esac
	[ "$(invocation)" = "$before" ] ||
		bail "the engine was started by somebody else while it was copied"
	copied=1
	status copied ''
}

run_backup() {
	trap 'bail "terminated"' TERM INT HUP
	status begun ''
	take_key
	mkdir -p "$copy" || bail "$copy can't be made; nothing was stopped"
	stop_engine
	copy_swarm
	beside start_engine 240 || bail "the engine does not start"
	trap : TERM INT HUP # what is left is to be done in any case
	status started ''
	unlock_engine || bail "$why"
	key=
	systemctl stop "$rescue.timer"
	status done ''
}

# The timer's part: help the unit out, and where it is dead start the engine.
run_rescue() {
	active && exit 0
	reached stopping || exit 0
	status rescue ''
	timeout 60 systemctl stop "$backup" 2>/dev/null
	active && exit 0
	socket_was=$(meta socket_was)
	if start_engine 600; then
		reached started || status started ''
		reached failed || status failed "the unit ended before its time; the rescue timer started the engine"
	else
		reached failed || status failed "neither the unit nor the rescue timer could start the engine"
	fi
}

case $1 in
run) run_backup ;;
rescue) run_rescue ;;
*) exit 2 ;;
esac
