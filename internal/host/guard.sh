# Functions that every changing command begins with. Only sh, coreutils and
# systemd may be used: no grep, sed, awk, find or flock.
#
# Exit statuses that host.go types: 101 guard, 102 token, 103 run in flight,
# 104 no room, 105 tool missing, 106 unit at work, 107 key not taken, 108 engine
# left stopped, 109 changed while read, 111 held by a recovery.
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
umask 077

refuse() { # STATUS TEXT
	printf 'requeen: %s\n' "$2" >&2
	exit "$1"
}

need() { # TOOL…
	for t; do
		command -v "$t" >/dev/null 2>&1 || refuse 105 "$t is not installed"
	done
}

# The lock is the highest number in the directory lock. Its link tells process,
# start time and boot of the owner, and it is held while that process lives, so
# that none is ever left behind. Numbers only grow: who makes a lower one than
# the highest, having read the directory too early, takes it back.
process_start() { # PID: its start time, nothing when it is gone
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	# shellcheck disable=SC2086
	set -- ${stat##*) }
	[ "$1" != Z ] && [ "$1" != X ] || return 1
	shift 19
	echo "$1"
}

lock_highest() {
	top=
	for l in "$dir"/lock/[0-9]*; do
		[ -L "$l" ] && top=${l##*/}
	done
	echo "$top"
}

lock_held() { # NUMBER
	who=$(readlink "$dir/lock/$1" 2>/dev/null) || return 1
	[ "${who##*:}" = "$boot" ] || return 1
	who=${who%:*}
	[ "$(process_start "${who%%:*}")" = "${who#*:}" ]
}

lock_host() {
	boot=$(cat /proc/sys/kernel/random/boot_id)
	mkdir -p "$dir/lock" "$dir/tokens" "$dir/runs" || refuse 101 "$dir can't be made"
	chmod 700 "$dir"
	me=$$:$(process_start $$):$boot
	tries=0
	while :; do
		top=$(lock_highest)
		if [ -z "$top" ] || ! lock_held "$top"; then
			n=${top:-1000000000}
			n=$((n + 1))
			if ln -s "$me" "$dir/lock/$n" 2>/dev/null; then
				[ "$(lock_highest)" = "$n" ] && break
				rm -f "$dir/lock/$n"
			fi
		fi
		tries=$((tries + 1))
		[ $tries -lt 600 ] || refuse 103 "another command of requeen holds $dir/lock for a minute"
		sleep 0.1
	done
	for l in "$dir"/lock/[0-9]*; do
		[ "${l##*/}" = "$n" ] || rm -f "$l"
	done
}

guard_machine() { # MACHINE-ID
	have=$(cat "${machine_file:-/etc/machine-id}" 2>/dev/null)
	[ -n "$1" ] && [ "$have" = "$1" ] || refuse 101 "this machine is ${have:-without a machine-id}, not $1"
}

passes_token() { # CLUSTER TOKEN: refuses a lower one than has been here; keeps nothing
	seen=$(cat "$dir/tokens/$1" 2>/dev/null)
	seen=${seen:-0}
	[ "$2" -ge "$seen" ] || refuse 102 "a run with token $seen has been here, this one has $2"
}

guard_token() { # CLUSTER TOKEN
	passes_token "$1" "$2"
	[ "$2" -eq "$seen" ] && return
	{ printf '%s\n' "$2" >"$dir/tokens/.new" && sync "$dir/tokens/.new" && mv -f "$dir/tokens/.new" "$dir/tokens/$1"; } ||
		refuse 101 "the run token can't be kept in $dir/tokens"
}

meta() { # RUN-DIRECTORY KEY
	while IFS= read -r line; do
		[ "${line%%=*}" = "$2" ] && printf '%s\n' "${line#*=}" && return
	done <"$1/meta"
	return 1
}

reached() { # RUN-DIRECTORY PHASE…: whether any of them stands in its status
	r=$1
	shift
	[ -f "$r/status" ] || return 1
	while IFS=' ' read -r phase _; do
		for p; do
			[ "$phase" = "$p" ] && return 0
		done
	done <"$r/status"
	return 1
}

note() { # RUN-DIRECTORY PHASE TEXT
	printf '%s %s %s\n' "$2" "$(date +%s.%N)" "$3" >>"$1/status"
}

running() { # UNIT: whether it works, or is about to
	case $(systemctl is-active "$1" 2>/dev/null) in
	active | activating | deactivating | reloading) return 0 ;;
	esac
	return 1
}

in_flight() { # ID: refuses when another run's unit works
	for r in "$dir"/runs/*/; do
		other=${r%/}
		other=${other##*/}
		[ "$other" != '*' ] && [ "$other" != "$1" ] || continue
		if running "requeen-backup-$other.service" || running "requeen-rescue-$other.service"; then
			refuse 103 "backup run $other is at work on this host"
		fi
	done
}
