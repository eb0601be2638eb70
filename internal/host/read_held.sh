# Writes the swarm directory of a held host as a tar archive. It counts only when
# nothing started the engine meanwhile.
surgery "$@"
guard_machine "$machine"
guard_certificate
same_recovery
need_held
[ -d "$swarm" ] || refuse 101 "$swarm is not there"
before=$(invocation)
xattrs=
case $(tar --help 2>/dev/null) in *--xattrs*) xattrs=--xattrs ;; esac
tar --sparse --numeric-owner $xattrs --exclude='./.requeen-*' --transform='s,^\.,swarm,S' -cf - -C "$swarm" . || exit
need_held
[ "$(invocation)" = "$before" ] || refuse 101 "the engine was started by somebody else while its directory was read"
