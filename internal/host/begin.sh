# Begins a backup run: guard and effect in one shell, under the host's lock.
# Standard input: a line with the sealed key in base64 or "-", then the unlock
# key. Arguments: DIR RUNDIR ID META UNIT-SCRIPT.
dir=$1 rundir=$2 id=$3 text=$4 script=$5
need systemctl systemd-run tar cp du df stat sync timeout mkfifo readlink sha256sum base64
IFS= read -r sealed || refuse 101 "the request arrived incomplete"
run=$dir/runs/$id
new=$dir/runs/.new.$id
fifo=$rundir/$id.key
backup=requeen-backup-$id.service
rescue=requeen-rescue-$id
asked() { # KEY: its value in the request
	while IFS= read -r line; do
		[ "${line%%=*}" = "$1" ] && printf '%s\n' "${line#*=}" && return
	done <<-end
	$text
	end
}
service=$(asked service) swarm=$(asked swarm_dir) cluster=$(asked cluster)
autolocked=$(asked autolocked) helper=$(asked helper) down=$(asked down_max)

guard_state() {
	[ "$(systemctl show -p ActiveState --value "$service")" = active ] ||
		refuse 101 "$service is not active"
	crt=$swarm/certificates/swarm-node.crt
	have=$(sha256sum <"$crt" 2>/dev/null)
	have=${have%% *}
	[ "$have" = "$(asked certificate_sha256)" ] ||
		refuse 101 "$crt has sha256 ${have:-none}, not $(asked certificate_sha256)"
	if [ "$autolocked" = 1 ]; then
		[ -x "$helper" ] || refuse 101 "the helper $helper is not there"
	fi
}

room() {
	# shellcheck disable=SC2046
	set -- $(du -s -B1 "$swarm/.") && needed=$(($1 + 160000000))
	# shellcheck disable=SC2046
	set -- $(du -s --inodes "$swarm/.") && files=$(($1 + 200))
	free=$(df -B1 --output=avail "$dir" | tail -n 1 | tr -d ' ')
	inodes=$(df --output=iavail "$dir" | tail -n 1 | tr -d ' ')
	total=$(df --output=itotal "$dir" | tail -n 1 | tr -d ' ')
	[ "$free" -ge "$needed" ] || refuse 104 "$free bytes are free below $dir, $needed are needed"
	case $total in - | 0 | '') return ;; esac
	[ "$inodes" -ge "$files" ] || refuse 104 "$inodes inodes are free below $dir, $files are needed"
}

prepare() {
	rm -rf "$run" "$new"
	rm -f "$fifo"
	mkdir -p "$new/copy" && printf '%s\n' "$text" "boot_id=$boot" "fifo=$fifo" >"$new/meta" &&
		printf '%s\n' "$script" >"$new/unit.sh" || refuse 104 "$new can't be written"
	if [ "$sealed" != - ]; then
		printf '%s' "$sealed" | base64 -d >"$new/unlock-key.age" || refuse 101 "the sealed key can't be kept"
	fi
	if [ "$autolocked" = 1 ]; then
		mkdir -p "$rundir" && chmod 700 "$rundir" && mkfifo -m 600 "$fifo" || refuse 101 "$fifo can't be made"
	fi
	note "$new" prepared '' && sync "$new/meta" "$new/unit.sh" "$new/status" &&
		mv -T "$new" "$run" && sync "$dir/runs" || refuse 104 "$run can't be written"
}

launch() {
	systemctl stop "$rescue.timer" 2>/dev/null
	systemctl reset-failed "$backup" "$rescue.service" 2>/dev/null
	systemd-run --quiet --collect --on-active="$down" --timer-property=AccuracySec=1s --unit="$rescue" \
		/bin/sh "$run/unit.sh" rescue || {
		rm -rf "$run" "$fifo"
		refuse 101 "the rescue timer can't be armed"
	}
	systemd-run --quiet --collect --no-block --unit="$backup" --property=KillMode=mixed \
		--property=TimeoutStopSec=400 /bin/sh "$run/unit.sh" run || {
		running "$backup" || { # else it runs all the same, and needs its timer
			systemctl stop "$rescue.timer"
			rm -rf "$run" "$fifo"
		}
		refuse 101 "the backup unit can't be started"
	}
}

# The unit waits for the key 30 s and has touched nothing until it came.
hand_over_key() {
	[ "$autolocked" = 1 ] && [ -p "$fifo" ] || return 0
	timeout 30 sh -c 'cat >"$1"' requeen "$fifo" && return
	[ -p "$fifo" ] || return 0
	refuse 107 "the backup unit did not take the unlock key; nothing was stopped"
}

lock_host
guard_machine "$(asked machine_id)"
guard_token "$cluster" "$(asked token)"
if [ -d "$run" ] && { running "$backup" || reached "$run" stopping; }; then
	hand_over_key # begun before; at most the key did not arrive
	exit 0
fi
in_flight "$id"
guard_state
room
prepare
launch
hand_over_key
