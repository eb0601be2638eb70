# Tells what schedules are on the host, below dir; changes nothing. A unit without a
# directory is told too, and so is a directory without its unit.
units=${units_dir:-/etc/systemd/system}
schedule_damage() { # DIR UNIT: the first thing that is not as it was put there
	for f in meta sums paths requeen complete; do
		[ -f "$1/files/$f" ] || { echo "$f is not there"; return; }
	done
	for d in "$1" "$1/files"; do
		[ "$(stat -c '%a %u' "$d" 2>/dev/null)" = "700 $(stat -c %u "$dir")" ] || { echo "$d is open to others"; return; }
	done
	read -r size <"$1/files/size"
	[ -x "$1/files/requeen" ] && [ "$(stat -L -c %s "$1/files/requeen")" = "$size" ] || { echo "the program was changed"; return; }
	(cd "$1/files" && sha256sum -c --status sums 2>/dev/null) || { echo "a file below $1/files was changed"; return; }
	for u in service timer; do
		[ "$(sha256sum <"$1/files/unit.$u")" = "$(sha256sum 2>/dev/null <"$units/$2.$u")" ] || { echo "$2.$u was changed"; return; }
	done
}

list_schedules() {
	for r in "$dir"/schedules/*:*/ "$units"/requeen-schedule-*:*.timer; do
		r=${r%/}
		case $r in
		*.timer)
			name=${r##*/requeen-schedule-}
			name=${name%.timer}
			[ -f "$r" ] && ! [ -d "$dir/schedules/$name" ] || continue
			r=$dir/schedules/$name
			;;
		*) name=${r##*/} && [ -d "$r" ] || continue ;;
		esac
		unit=requeen-schedule-$name
		printf 'schedule=%s\n' "$name"
		[ -f "$r/files/meta" ] && while IFS= read -r line; do
			printf 'schedule.%s\n' "$line"
		done <"$r/files/meta"
		[ -f "$r/files/prints" ] && while IFS= read -r line; do
			printf 'schedule.print=%s\n' "$line"
		done <"$r/files/prints"
		[ -f "$r/last" ] && printf 'schedule.last=%s\n' "$(head -c 4096 "$r/last" | tr -d '\n')"
		printf 'schedule.damage=%s\n' "$(schedule_damage "$r" "$unit" | tr '\n' ' ')"
		# shellcheck disable=SC2046
		set -- $(systemctl is-active "$unit.timer" "$unit.service" 2>/dev/null)
		timer=$1
		[ "$timer" != active ] || [ "$(systemctl is-enabled "$unit.timer" 2>/dev/null)" = enabled ] || timer="not enabled"
		printf 'schedule.timer=%s\nschedule.service=%s\n' "$timer" "$2"
	done
}
