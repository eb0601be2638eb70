# Writes the node key of a held host from standard input; the certificates are
# copied aside before. Arguments: those of a surgery, the key's size in bytes.
surgery "$@"
shift 9
guards
same_recovery
need_held
[ -d "$swarm/certificates" ] || refuse 101 "$swarm has no certificates"
save_certificates
key=$swarm/certificates/swarm-node.key
fresh=$key.requeen
rm -f "$fresh"
timeout 30 cat >"$fresh" || refuse 104 "$fresh can't be written"
if [ "$(stat -c %s "$fresh")" != "$1" ]; then
	rm -f "$fresh"
	refuse 101 "the node key did not arrive whole"
fi
{ chmod 600 "$fresh" && sync "$fresh" && mv -T "$fresh" "$key" && sync "${key%/*}"; } || refuse 104 "$key can't be written"
