# Runs a command of the configuration as root while the host's lock is held, so that no
# two run at once, also where the connection to the first was lost. Arguments: DIR CLUSTER
# TOKEN MACHINE SECONDS PROGRAM ARGUMENT…
dir=$1 cluster=$2 token=$3 machine=$4 seconds=$5
shift 5
need timeout cat readlink sync
lock_host
guard_machine "$machine"
guard_token "$cluster" "$token"
umask 022
timeout -k 5 "$seconds" "$@" 1>&2
status=$?
[ $status -ne 124 ] || echo "it did not end within $seconds seconds" >&2
[ $status -eq 0 ] || exit 99
