# Looks at a host; changes nothing. Prints key=value lines. Arguments: DIR
# SERVICE DATA-ROOT CLUSTER; SERVICE and DATA-ROOT may be empty.
dir=$1 service=$2 root=$3 cluster=$4
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
say() { printf '%s=%s\n' "$1" "$2"; }

say clock "$(date +%s.%N)"
say uname "$(uname -sm)"
say hostname "$(uname -n)"
say machine_id "$(cat "${machine_file:-/etc/machine-id}" 2>/dev/null)"
for t in systemctl systemd-run tar cp base64 sha256sum du df stat timeout readlink mkfifo sync; do
	command -v $t >/dev/null 2>&1 || say missing $t
done

prop() { systemctl show -p "$1" --value "$service" 2>/dev/null; }
coded() { printf '%s' "$1" | base64 | tr -d '\n'; } # for what may hold any character
trim() { # TEXT: sets trimmed
	trimmed=$1
	while :; do
		case $trimmed in
		[[:blank:]]*) trimmed=${trimmed#?} ;;
		*[[:blank:]]) trimmed=${trimmed%?} ;;
		*) return ;;
		esac
	done
}
held() { # UNIT: the files that it or its drop-ins name as what it must not start with, and that are there
	systemctl cat "$1" 2>/dev/null | {
		names=
		while read -r line || [ -n "$line" ]; do
			case $line in Condition*=*) ;; *) continue ;; esac
			trim "${line%%=*}"
			key=$trimmed
			trim "${line#*=}"
			if [ -z "$trimmed" ]; then
				names= # it takes back all conditions before it
				continue
			fi
			case $key=$trimmed in ConditionPathExists=!*) ;; *) continue ;; esac
			trim "${trimmed#!}"
			case $trimmed in /*) [ -e "$trimmed" ] && names="$names $(coded "$trimmed")" ;; esac
		done
		for name in $names; do say hold "$name"; done
	}
}
[ -n "$service" ] || service=docker.service
load=$(prop LoadState)
say load "$load"
if [ "$load" = loaded ]; then
	say service "$service"
	say active_state "$(prop ActiveState)"
	say exited_monotonic "$(prop InactiveEnterTimestampMonotonic)"
	read -r up _ </proc/uptime
	say uptime "$up"
	socket=
	for u in $(prop TriggeredBy); do
		case $u in *.socket) say socket "$u" && socket=$u ;; esac
	done
	for u in "$service" $socket; do
		held "$u"
	done
fi
case $load in
masked) say file_state masked ;;
loaded) say file_state "$(prop UnitFileState)" ;;
esac

# The data root: as given; as the running engine was called; as its unit calls
# it; as its daemon.json says; the default.
file=/etc/docker/daemon.json
take_flags() { # WORD…
	while [ $# -gt 0 ]; do
		case $1 in
		--data-root=* | --graph=*) flag=${1#*=} ;;
		--data-root | --graph | -g) flag=$2 ;;
		--config-file=*) file=${1#*=} ;;
		--config-file) file=$2 ;;
		esac
		shift
	done
}
from_json() { # KEY: a string's value, for a key that stands once
	case $json in *"\"$1\""*) ;; *) return 1 ;; esac
	rest=${json#*"\"$1\""}
	rest=${rest#*:}
	rest=${rest#*\"}
	printf '%s' "${rest%%\"*}"
}
if [ -z "$root" ]; then
	flag='' how=default
	pid=$(prop MainPID)
	if [ "${pid:-0}" -gt 0 ] 2>/dev/null && [ -r "/proc/$pid/cmdline" ]; then
		set -f
		# shellcheck disable=SC2046
		take_flags $(tr '\0' ' ' <"/proc/$pid/cmdline")
		set +f
	fi
	if [ -z "$flag" ]; then
		set -f
		# shellcheck disable=SC2046
		take_flags $(prop ExecStart | tr ';' ' ')
		set +f
	fi
	json=$(cat "$file" 2>/dev/null)
	root=$flag
	[ -n "$root" ] || root=$(from_json data-root) || root=$(from_json graph)
	[ -n "$root" ] || root=/var/lib/docker
fi
say data_root "$root"

look() { # PATH: present, absent, or why neither can be said
	kind=$(stat -L -c %F "$1" 2>&1) && { echo present; return; }
	if [ -L "$1" ]; then
		echo "$1 is a link that leads nowhere"
		return
	fi
	case $kind in
	*'No such file or directory'*) echo absent ;;
	*) printf '%s\n' "$kind" | tr '\n' ' ' ;;
	esac
}
unmounted() { # the mount point above the data root that fstab names and nothing is mounted on
	[ -r /etc/fstab ] || return 1
	while read -r dev point _; do
		case $dev in '#'* | '') continue ;; esac
		case $point in / | none | swap | '') continue ;; esac
		case $root/ in "${point%/}"/*) ;; *) continue ;; esac
		found=
		while read -r _ at _; do [ "$at" = "${point%/}" ] && found=1; done </proc/self/mounts
		[ -n "$found" ] || { echo "$point"; return; }
	done </etc/fstab
	return 1
}
swarm=$root/swarm
say swarm_dir "$swarm"
seen=$(look "$swarm")
if [ "$seen" = absent ]; then
	if point=$(unmounted); then
		seen="$point, below which the data root is, is in /etc/fstab and not mounted"
	elif [ "$(look "$root")" != present ] && [ "$load" = loaded ]; then
		seen="the data root $root is not there"
	else
		for other in "$root"/[0-9]*.[0-9]*/swarm; do
			[ -d "$other" ] && seen="there is a swarm directory at $other instead"
		done
	fi
fi
case $seen in
present) say swarm present ;;
absent) say swarm absent ;;
*)
	say swarm unknown
	say swarm_why "$seen"
	;;
esac

real=
if [ "$seen" = present ]; then
	real=$(readlink -f "$swarm")
	say swarm_real "$real"
	[ -L "$swarm" ] && say swarm_link "$swarm"
	mounts_at "$real"
	[ -n "$mounted_at" ] && say mount_point 1
	changed=0
	for f in "$real"/raft/wal*/ "$real"/raft/wal*/*; do
		at=$(stat -c %Y "$f" 2>/dev/null) && [ "$at" -gt "$changed" ] && changed=$at
	done
	say raft_changed "$changed"
	crt=$real/certificates/swarm-node.crt
	if [ -r "$crt" ]; then
		say certificate "$(base64 <"$crt" | tr -d '\n')"
		sum=$(sha256sum <"$crt")
		say certificate_sha256 "${sum%% *}"
	fi
	key=$real/certificates/swarm-node.key
	if [ -s "$key" ]; then
		say has_key 1
		# Only lines that tell whether it is sealed; never a header's value, which
		# may be the key of the log, nor the body.
		while IFS= read -r line; do
			case $line in
			'-----BEGIN ENCRYPTED'*) say locked 1 ;;
			'Proc-Type:'*ENCRYPTED*) say locked 1 ;;
			'kek-version:'*) say kek_version "${line#kek-version: }" ;;
			'-----BEGIN'* | *': '*) ;;
			*) break ;;
			esac
		done <"$key"
	fi
	if [ -s "$real/certificates/swarm-root-ca.crt" ]; then
		say has_root_ca 1
		say root_ca "$(head -c 65536 "$real/certificates/swarm-root-ca.crt" | base64 | tr -d '\n')"
	fi
	for f in "$real"/raft/*/*.wal; do
		[ -f "$f" ] && say has_raft 1 && break
	done
	if [ -f "$real/docker-state.json" ]; then
		say has_state_file 1
		say state_file "$(head -c 65536 "$real/docker-state.json" | base64 | tr -d '\n')"
	fi
	size=$(du -s -B1 "$real/." 2>/dev/null)
	say swarm_bytes "${size%%[!0-9]*}"
fi

# Directories beside it that hold a swarm's state, by whomever they were put
# there. A link is left out: it may lead to the directory in use.
asides=0
beside() { # DIR
	for d in "$1"/swarm*/ ${real:+"$real".requeen-*/ "$real"/.requeen-*/}; do
		d=${d%/}
		[ -d "$d" ] && ! [ -L "$d" ] && [ "$d" != "${real:-$1/swarm}" ] || continue
		[ -d "$d/certificates" ] || [ -d "$d/raft" ] || continue
		asides=$((asides + 1))
		[ "$asides" -le 20 ] || return
		raft=0
		for f in "$d"/raft/*/*.wal; do
			[ -f "$f" ] && raft=1 && break
		done
		at=$(stat -c %Y "$d" 2>/dev/null)
		size=$(du -s -B1 "$d" 2>/dev/null)
		size=${size%%[!0-9]*}
		say aside "${at:-0} $raft ${size:-0} $(coded "$d")"
	done
}
above=$(readlink -f "$root")
[ -z "$real" ] || [ "${real%/*}" = "$above" ] || beside "${real%/*}"
beside "$above"

at=$dir
while [ -n "$at" ] && ! [ -d "$at" ]; do at=${at%/*}; done
say free_bytes "$(df -B1 --output=avail "${at:-/}" | tail -n 1 | tr -d ' ')"
say total_bytes "$(df -B1 --output=size "${at:-/}" | tail -n 1 | tr -d ' ')"
say free_inodes "$(df --output=iavail "${at:-/}" | tail -n 1 | tr -d ' ')"
say total_inodes "$(df --output=itotal "${at:-/}" | tail -n 1 | tr -d ' ')"
[ -z "$cluster" ] || say token "$(cat "$dir/tokens/$cluster" 2>/dev/null)"
list_runs
list_recoveries
list_schedules
list_data_asides
say clock_end "$(date +%s.%N)"
say end 1
