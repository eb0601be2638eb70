# Streams a directory as a tar archive, as root: owners by number, modes, links, extended
# attributes, holes; no other file system that is mounted below it, which it names.
# Arguments: MACHINE DIRECTORY. Ends with tar's own 1 where files changed while they were
# read: the archive is whole then.
need tar
guard_machine "$1"
case $(tar --version 2>/dev/null) in
*GNU*) ;;
*) refuse 105 "the tar of this host is not GNU tar, which keeps owners, extended attributes and holes" ;;
esac
[ -d "$2" ] || refuse 101 "$2 is no directory"
cd -P -- "$2" || refuse 101 "$2 can't be entered"
# By the kernel's list alone: to look at a share whose server is gone never ends.
top=$(pwd -P) on='' best=
while read -r _ _ device _ point _; do
	case $point in *\\*) point=$(printf '%b' "$point") ;; esac
	case $top/ in "${point%/}"/*) [ "${#point}" -lt "${#best}" ] || best=$point on=$device ;; esac
done <"${mount_table:-/proc/self/mountinfo}"
while read -r _ _ device _ point _; do
	case $point in *\\*) point=$(printf '%b' "$point") ;; esac
	case $point in "$top"/*) [ "$device" = "$on" ] || printf 'requeen-apart %s\n' "$point" >&2 ;; esac
done <"${mount_table:-/proc/self/mountinfo}"
keep=
case $(tar --help 2>/dev/null) in *--xattrs-include*) keep="--xattrs --xattrs-include=*" ;; esac
case $(tar --help 2>/dev/null) in *--acls*) keep="$keep --acls" ;; esac
set -f
# shellcheck disable=SC2086
exec tar --create --file=- --format=posix --sparse --numeric-owner --one-file-system $keep .
