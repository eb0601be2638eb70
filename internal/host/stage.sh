# Puts a prepared swarm directory beside the one in use, in three commands:
# begin, unpack, finish. The upload goes without the host's lock, for where the
# network is cut it hangs until sshd notices. Arguments: those of a surgery,
# begin|unpack|finish, the attempt's name, bytes.
surgery "$@"
shift 9
part=$base.part.$2

room() { # BYTES FILES
	at=$base
	while [ -n "$at" ] && ! [ -d "$at" ]; do at=${at%/*}; done
	free=$(df -B1 --output=avail "${at:-/}" | tail -n 1 | tr -d ' ')
	inodes=$(df --output=iavail "${at:-/}" | tail -n 1 | tr -d ' ')
	total=$(df --output=itotal "${at:-/}" | tail -n 1 | tr -d ' ')
	[ "$free" -ge "$1" ] || refuse 104 "$free bytes are free below ${at:-/}, $1 are needed"
	case $total in - | 0 | '') return ;; esac
	[ "$inodes" -ge "$2" ] || refuse 104 "$inodes inodes are free below ${at:-/}, $2 are needed"
}

begin() { # BYTES: the engine will want two segments of its log and a snapshot
	guards
	other_hold "$id"
	if reached "$rec" swapped; then
		echo swapped=1
		exit
	fi
	! reached "$rec" swapping || refuse 101 "the swap of recovery $id is under way; it has to be finished"
	open_recovery
	rm -rf "$new" "$base".part.* || refuse 101 "what an earlier attempt left at $base can't be removed"
	room $(($1 + 160000000)) 200
	[ -d "${parent:-/}" ] || mkdir -p -m 711 "$parent" || refuse 104 "$parent can't be made"
	mkdir -m 700 "$part" || refuse 104 "$part can't be made"
}

unpack() {
	guard_machine "$machine"
	[ -d "$part" ] || refuse 101 "$part is gone: another attempt has begun"
	said=$(tar --no-same-owner -p -xf - -C "$part" 2>&1) && return
	case $said in
	*'No space left'* | *'quota exceeded'*) refuse 104 "the prepared directory does not fit below $part" ;;
	esac
	refuse 101 "the prepared directory can't be unpacked: $(printf '%s' "$said" | tail -n 1)"
}

# The last member is there only when all came before it.
finish() {
	guards
	other_hold "$id"
	open_recovery
	! reached "$rec" swapping || refuse 101 "recovery $id has gone on meanwhile"
	[ -f "$part/swarm/.requeen-complete" ] || refuse 101 "the prepared directory did not arrive whole"
	rm -f "$part/swarm/.requeen-complete"
	complete "$part/swarm"
	{ chmod 700 "$part/swarm" && sync_tree "$part/swarm" && rm -rf "$new" && mv -T "$part/swarm" "$new" &&
		rmdir "$part" && sync "${new%/*}"; } || refuse 104 "$new can't be written"
	mark staged
}

case $1 in
begin) begin "$3" ;;
unpack) unpack ;;
finish) finish ;;
*) exit 2 ;;
esac
