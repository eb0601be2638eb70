# Where something is mounted, as the kernel tells it: a bind mount has the same
# device number as its surroundings, and still nothing can be renamed out of it.
mounts_at() { # PATH: sets mounted_at, mounted_below
	mounted_at='' mounted_below=''
	while read -r _ _ _ _ point _; do
		case $point in *\\*) point=$(printf '%b' "$point") ;; esac
		case $point in
		"$1") mounted_at=$point ;;
		"$1"/*) mounted_below=$point ;;
		esac
	done <"${mount_table:-/proc/self/mountinfo}"
}
