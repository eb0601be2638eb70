# Puts the staged directory in the place of the one in use. From the moment that
# docker-state.json is out of its place every cut is harmless: the engine, if
# anything started it, would be inactive.

# Where the directory itself stays: its children one by one. What is marked has
# been left behind, so that old and new children are never mixed up.
exchange_children() {
	if ! reached "$rec" emptied; then
		complete "$new"
		mark swapping
		empty_out
		mark emptied
	fi
	for c in "$new"/*; do
		[ -e "$c" ] || continue
		mv -T "$c" "$swarm/${c##*/}" || refuse 101 "$c can't be moved to $swarm"
	done
	{ sync "$swarm" && rmdir "$new" && chmod 700 "$swarm" && sync "$swarm"; } || refuse 101 "$new can't be emptied"
}

empty_out() {
	put_aside docker-state.json
	for c in "$swarm"/* "$swarm"/.[!.]*; do
		c=${c##*/}
		case $c in .requeen-* | lost+found) ;; *) put_aside "$c" ;; esac
	done
}

# The whole directory, under the name of the set-aside. docker-state.json waits
# inside of it under another name.
rename_out() {
	waiting=docker-state.json.requeen
	if [ -e "$swarm/docker-state.json" ]; then
		{ mv -T "$swarm/docker-state.json" "$swarm/$waiting" && sync "$swarm"; } ||
			refuse 101 "$swarm/docker-state.json can't be moved"
	fi
	{ mv -T "$swarm" "$aside" && sync "${parent:-/}"; } || refuse 101 "$swarm can't be moved to $aside"
}

exchange() {
	complete "$new"
	mark swapping
	if [ -d "$swarm" ] && ! rmdir "$swarm" 2>/dev/null; then
		if [ -d "$aside" ]; then
			empty_out
			rmdir "$swarm" || refuse 101 "$swarm can't be emptied"
		else
			rename_out
		fi
	fi
	waiting=$aside/docker-state.json.requeen
	if [ -e "$waiting" ] && ! [ -e "$aside/docker-state.json" ]; then
		{ mv -T "$waiting" "$aside/docker-state.json" && sync "$aside"; } || refuse 101 "$waiting can't be moved"
	fi
	{ mv -T "$new" "$swarm" && sync "${parent:-/}"; } || refuse 101 "$new can't be moved to $swarm"
}

surgery "$@"
guards
same_recovery
if ! reached "$rec" swapped; then
	guard_mounts
	need_held
	if [ -d "$new" ]; then
		if [ "$layout" = inside ]; then exchange_children; else exchange; fi
	fi
	reached "$rec" swapping || refuse 101 "nothing is staged at $new"
	complete "$swarm"
	command -v restorecon >/dev/null 2>&1 && restorecon -R "$swarm" 2>/dev/null
	mark swapped
fi
tell_aside
