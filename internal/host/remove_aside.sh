# Removes a directory that a recovery set aside or staged, and with the last of
# them the recovery's own. Arguments: DIR CLUSTER TOKEN MACHINE SWARM PATH.
dir=$1 cluster=$2 token=$3 machine=$4 path=$6
need readlink sync
swarm=$(readlink -m "$5") || refuse 101 "$5 can't be resolved"
case $path in
"$swarm".requeen-*) id=${path#"$swarm".requeen-} base=$swarm.requeen- ;;
"$swarm"/.requeen-*) id=${path#"$swarm"/.requeen-} base=$swarm/.requeen- ;;
*) refuse 101 "$path is not what a recovery set aside of $swarm" ;;
esac
id=${id%.new}
id=${id%.part.*}
case $id in */* | '') refuse 101 "$path is not what a recovery set aside of $swarm" ;; esac
rec=$dir/recoveries/$id
lock_host
guard_machine "$machine"
guard_token "$cluster" "$token"
! [ -L "$path" ] || refuse 101 "$path is a link"
mounts_at "$path"
[ -z "$mounted_at$mounted_below" ] || refuse 101 "something is mounted on $mounted_at$mounted_below"
! [ -e "$rec/hold" ] || refuse 111 "recovery $id still holds the engine of this host"
{ rm -rf "$path" && sync "${path%/*}/"; } || refuse 101 "$path can't be removed"
for d in "$base$id" "$base$id".new "$base$id".part.*; do
	[ -e "$d" ] && exit 0
done
rm -rf "$rec" || refuse 101 "$rec can't be removed"
