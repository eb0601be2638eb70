# Puts the data of an application back, in three commands: begin, unpack, finish; ready
# asks before whether it could. What is in the place is renamed beside it and never
# overwritten. The upload goes without the host's lock, as that of a swarm directory.
# Arguments: DIR ID CLUSTER TOKEN MACHINE PLACE; then ready BYTES FILES FILL, or
# begin|unpack|finish ATTEMPT FILL, and of begin BYTES FILES META. With FILL 1 a place
# that holds anything is left as it is.
dir=$1 id=$2 cluster=$3 token=$4 machine=$5 place=$6
act=$7
need tar mv stat df readlink base64 sync timeout head
[ "$(readlink -m "$place")" = "$place" ] || refuse 101 "$place is reached through a symbolic link: name $(readlink -m "$place") in its place"
parent=${place%/*}
parent=${parent:-/}
rec=$dir/restores/$id
aside=$place.requeen-$id new=$place.requeen-$id.new

mark() { # PHASE: durably, once
	reached "$rec" "$1" && return
	{ note "$rec" "$1" '' && sync "$rec/status"; } || refuse 104 "$rec/status can't be written"
}

# Nothing can be renamed out of a mount point, and what is mounted inside would be left
# behind.
guard_place() {
	mounts_at "$place"
	[ -z "$mounted_at" ] || refuse 101 "$place is a mount point: what it holds can't be set aside by a rename"
	[ -z "$mounted_below" ] || refuse 101 "something is mounted on $mounted_below, inside $place"
	if [ -e "$place" ] || [ -L "$place" ]; then
		{ [ -d "$place" ] && ! [ -L "$place" ]; } || refuse 101 "$place is not a directory"
		[ "$(stat -c %d "$place")" = "$(stat -c %d "$parent")" ] || refuse 101 "$place is another file system than $parent"
	fi
}

room() { # BYTES FILES
	at=$parent
	while ! [ -d "$at" ]; do at=${at%/*} at=${at:-/}; done
	free=$(df -B1 --output=avail "$at" | tail -n 1 | tr -d ' ')
	inodes=$(df --output=iavail "$at" | tail -n 1 | tr -d ' ')
	total=$(df --output=itotal "$at" | tail -n 1 | tr -d ' ')
	[ "$free" -ge "$1" ] || refuse 104 "$free bytes are free below $at, $1 are needed"
	case $total in - | 0 | '') return ;; esac
	[ "$inodes" -ge "$2" ] || refuse 104 "$inodes inodes are free below $at, $2 are needed"
}

# Renames may be cut between the two: then the new directory is there and its place
# is empty, or holds what somebody made there since, which is kept too.
exchange() { # RECORD PLACE BASE
	rec=$1
	if [ -d "$3.new" ]; then
		mark swapping
		if [ -d "$2" ] && ! rmdir "$2" 2>/dev/null; then
			to=$3 n=0
			while [ -e "$to" ] || [ -L "$to" ]; do
				n=$((n + 1))
				to=$3.$n
			done
			mv -T "$2" "$to" || refuse 101 "$2 can't be moved to $to"
			sync "${2%/*}/" || refuse 101 "${2%/*} can't be synced"
		fi
		{ mv -T "$3.new" "$2" && sync "${2%/*}/"; } || refuse 101 "$3.new can't be moved to $2"
	fi
	reached "$rec" swapping || refuse 101 "nothing is unpacked at $3.new"
	command -v restorecon >/dev/null 2>&1 && restorecon -R "$2" 2>/dev/null
	mark restored
}

# An earlier restore of the same place that was cut: between its renames it is brought
# to its end, since its place may be empty; before them it has changed nothing.
earlier() {
	for r in "$dir"/restores/*/; do
		r=${r%/}
		[ -f "$r/meta" ] && [ "${r##*/}" != "$id" ] && [ "$(meta "$r" place)" = "$place" ] && ! reached "$r" restored || continue
		old=$place.requeen-${r##*/}
		if reached "$r" swapping; then
			mine=$rec
			exchange "$r" "$place" "$old"
			rec=$mine
		else
			rm -rf "$old.new" "$old".part.* "$r" || refuse 101 "what the cut restore ${r##*/} left beside $place can't be removed"
		fi
	done
}

tell() {
	for d in "$aside" "$aside".[0-9]*; do
		[ -d "$d" ] && printf 'aside=%s\n' "$(printf '%s' "$d" | base64 | tr -d '\n')"
	done
	return 0
}

filled() { # whether the place holds anything
	for f in "$place"/* "$place"/.[!.]* "$place"/..?*; do
		{ [ -e "$f" ] || [ -L "$f" ]; } && return 0
	done
	return 1
}

# Before anything is stopped for the data: refuses what begin would; changes nothing.
ready() { # BYTES FILES FILL
	guard_machine "$machine"
	[ -f "$rec/meta" ] && return # it is gone on with, and has its room
	guard_place
	case $(tar --version 2>/dev/null) in *'GNU tar'*) ;; *) refuse 105 "GNU tar is not installed: another does not keep extended attributes" ;; esac
	if [ "$3" = 1 ] && filled; then return; fi
	room "$1" "$2"
}

guards() {
	lock_host
	guard_machine "$machine"
	guard_token "$cluster" "$token"
}

begin() { # ATTEMPT FILL BYTES FILES META
	guards
	if [ -f "$rec/meta" ]; then
		[ "$(cat "$rec/meta")" = "$5" ] || refuse 101 "restore $id began on this host with another backup or place; compare $rec/meta"
		if reached "$rec" restored; then
			echo state=restored
			tell
			exit
		elif reached "$rec" unpacked && { [ -d "$new" ] || { reached "$rec" swapping && [ -d "$place" ]; }; }; then
			echo state=unpacked
			exit
		elif reached "$rec" unpacked; then # somebody removed it, with the volume as a rule
			rm -rf "$rec" || refuse 104 "$rec can't be removed"
		fi
	fi
	guard_place
	# What it takes up is room for this attempt.
	rm -rf "$new" "$aside".part.* || refuse 101 "what an earlier attempt left beside $place can't be removed"
	earlier
	if [ "$2" = 1 ] && filled; then
		echo state=kept
		exit
	fi
	room "$3" "$4"
	if ! [ -f "$rec/meta" ]; then
		fresh=$dir/restores/.new.$id
		{ rm -rf "$fresh" && mkdir -p "$fresh" && printf '%s\n' "$5" >"$fresh/meta" && note "$fresh" begun '' &&
			sync "$fresh/meta" "$fresh/status" "$fresh" && mv -T "$fresh" "$rec" &&
			sync "$dir/restores" "$dir"; } || refuse 104 "$rec can't be written"
	fi
	[ -d "$parent" ] || (umask 022 && mkdir -p "$parent") || refuse 104 "$parent can't be made"
	mkdir -m 700 "$aside.part.$1" "$aside.part.$1/data" || refuse 104 "$aside.part.$1 can't be made"
}

unpack() { # ATTEMPT
	guard_machine "$machine"
	[ -d "$aside.part.$1/data" ] || refuse 101 "$aside.part.$1 is gone: another attempt has begun"
	case $(tar --version 2>/dev/null) in *'GNU tar'*) ;; *) refuse 105 "GNU tar is not installed: another does not keep extended attributes" ;; esac
	part=$aside.part.$1
	set -- --numeric-owner --same-owner -p --warning=no-timestamp
	case $(tar --help 2>/dev/null) in *--xattrs-include*) set -- "$@" --xattrs '--xattrs-include=*' ;; esac
	case $(tar --help 2>/dev/null) in *--acls*) set -- "$@" --acls ;; esac
	# Whoever owns a directory above may have put a link there since.
	cd -P -- "$part/data" && [ "$(pwd -P)" = "$part/data" ] || refuse 101 "$part/data leads elsewhere than when it was made: somebody has put a link in place of a directory above it"
	said=$(tar "$@" -xf - 2>&1) && return
	case $said in
	*'No space left'* | *'quota exceeded'*) refuse 104 "the data do not fit below $part" ;;
	esac
	refuse 101 "the data can't be unpacked: $(printf '%s' "$said" | tail -n 1)"
}

# A container may have been started since the place was found unused: unpacking takes
# hours. Only the engine knows, so whoever called asks it now, while the host's lock is
# held and nothing is moved.
unused() {
	echo requeen-unused
	answer=$(timeout "${guard_seconds:-90}" head -n 1)
	[ "$answer" = unused ] || refuse 101 "nobody said that $place is not in use; nothing of it was moved"
}

# What was empty when the restore began may have been filled since.
kept() {
	rm -rf "$new" "$rec" || refuse 101 "what is unpacked beside $place can't be removed"
	echo state=kept
	exit
}

# One sync of the whole file system: one for each of a million files would take hours.
finish() { # ATTEMPT, empty where it was unpacked before; FILL
	guards
	[ -f "$rec/meta" ] || refuse 101 "restore $id has not begun on this host"
	if ! reached "$rec" restored; then
		guard_place
		if ! reached "$rec" unpacked; then
			part=$aside.part.$1
			[ -n "$1" ] && [ -d "$part/data" ] || refuse 101 "nothing is unpacked beside $place"
			{ sync -f "$part" && rm -rf "$new" && mv -T "$part/data" "$new" && rmdir "$part" && sync "$parent/"; } ||
				refuse 104 "$new can't be written"
			mark unpacked
		fi
		if [ -d "$new" ]; then
			unused
			guard_place
			[ "$2" != 1 ] || reached "$rec" swapping || ! filled || kept
		fi
		exchange "$rec" "$place" "$aside"
	fi
	tell
}

case $act in
ready) ready "$8" "$9" "${10}" ;;
begin) begin "$8" "$9" "${10}" "${11}" "${12}" ;;
unpack) unpack "$8" ;;
finish) finish "$8" "$9" ;;
*) exit 2 ;;
esac
