# Tells what runs and recoveries are on the host, below dir; changes nothing.
list_runs() {
	printf 'boot_id=%s\n' "$(cat /proc/sys/kernel/random/boot_id)"
	for r in "$dir"/runs/*/; do
		r=${r%/}
		[ -f "$r/meta" ] || continue
		name=${r##*/}
		printf 'run=%s\n' "$name"
		while IFS= read -r line; do
			printf 'run.meta=%s\n' "$line"
		done <"$r/meta"
		while IFS= read -r line; do
			printf 'run.status=%s\n' "$line"
		done <"$r/status"
		# One call for all three: an engine may be starting beside it.
		# shellcheck disable=SC2046
		set -- $(systemctl is-active "requeen-backup-$name.service" "requeen-rescue-$name.service" "requeen-rescue-$name.timer" 2>/dev/null)
		printf 'run.unit=%s\nrun.rescue=%s\nrun.timer=%s\n' "$1" "$2" "$3"
		if [ -d "$r/copy/swarm" ]; then
			size=$(du -s -B1 "$r/copy/swarm")
			printf 'run.bytes=%s\n' "${size%%[!0-9]*}"
		fi
	done
	printf 'runs_end=\n'
}

# Tells what recoveries have been on the host.
list_recoveries() {
	for r in "$dir"/recoveries/*/; do
		r=${r%/}
		[ -f "$r/meta" ] || continue
		printf 'recovery=%s\n' "${r##*/}"
		base=
		while IFS= read -r line; do
			printf 'recovery.meta=%s\n' "$line"
			case $line in base=*) base=${line#base=} ;; esac
		done <"$r/meta"
		while IFS= read -r line; do
			printf 'recovery.status=%s\n' "$line"
		done <"$r/status"
		[ -e "$r/hold" ] && printf 'recovery.held=1\n'
		[ -n "$base" ] || continue
		[ -d "$base" ] && printf 'recovery.aside=1\n'
		[ -d "$base.new" ] && printf 'recovery.staged=1\n'
	done
}

# Tells what restores of data set aside or left beside the places of the data. How much
# it is, is not told: to count it takes long.
list_data_asides() {
	for r in "$dir"/restores/*/; do
		r=${r%/}
		[ -f "$r/meta" ] || continue
		place='' of=''
		while IFS= read -r line; do
			case $line in
			place=/*) place=${line#place=} ;;
			cluster=*) of=${line#cluster=} ;;
			esac
		done <"$r/meta"
		[ -n "$place" ] || continue
		over=0
		while IFS=' ' read -r phase _; do
			[ "$phase" = restored ] && over=1
		done <"$r/status"
		for d in "$place.requeen-${r##*/}" "$place.requeen-${r##*/}".*; do
			[ -d "$d" ] && ! [ -L "$d" ] || continue
			at=$(stat -c %Y "$d" 2>/dev/null)
			printf 'data_aside=%s %s %s %s %s %s\n' "${at:-0}" "$over" "${r##*/}" "${of:--}" \
				"$(printf '%s' "$d" | base64 | tr -d '\n')" "$(printf '%s' "$place" | base64 | tr -d '\n')"
		done
	done
}

# Waits a few seconds while the run's unit has the engine down. Whoever asks over
# and over takes the processor from the engine that is stopping or starting; this
# only sleeps.
wait_run() { # ID
	r=$dir/runs/$1
	[ -f "$r/status" ] && [ "$(systemctl is-active "requeen-backup-$1.service" 2>/dev/null)" = active ] || return 0
	n=0
	while [ $n -lt 20 ]; do
		while IFS=' ' read -r phase _; do last=$phase; done <"$r/status"
		case $last in
		prepared | begun | stopping | stopped | copied) ;;
		*) return 0 ;;
		esac
		n=$((n + 1))
		sleep 0.25
	done
}
