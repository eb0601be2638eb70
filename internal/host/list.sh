# Tells what runs are on the host; changes nothing. Argument: DIR.
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
		printf 'run.unit=%s\n' "$(systemctl is-active "requeen-backup-$name.service" 2>/dev/null)"
		printf 'run.rescue=%s\n' "$(systemctl is-active "requeen-rescue-$name.service" 2>/dev/null)"
		printf 'run.timer=%s\n' "$(systemctl is-active "requeen-rescue-$name.timer" 2>/dev/null)"
		if [ -d "$r/copy/swarm" ]; then
			size=$(du -s -B1 "$r/copy/swarm")
			printf 'run.bytes=%s\n' "${size%%[!0-9]*}"
		fi
	done
	printf 'runs_end=\n'
}
