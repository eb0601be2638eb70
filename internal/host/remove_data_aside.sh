# Removes a directory that a restore of data set aside, and with the last of them what
# is kept of the restore. Arguments: DIR CLUSTER TOKEN MACHINE RESTORE PATH.
dir=$1 cluster=$2 token=$3 machine=$4 id=$5 path=$6
need sync
rec=$dir/restores/$id
lock_host
guard_machine "$machine"
guard_token "$cluster" "$token"
[ -f "$rec/meta" ] || refuse 101 "the host knows no restore $id"
place=$(meta "$rec" place) && [ -n "$place" ] || refuse 101 "$rec/meta does not say what was restored"
base=$place.requeen-$id
case $path in
"$base" | "$base".*) ;;
*) refuse 101 "$path is not what the restore $id set aside of $place" ;;
esac
case ${path#"$base"} in */*) refuse 101 "$path is not what the restore $id set aside of $place" ;; esac
reached "$rec" restored || refuse 101 "the restore $id is not over on this host"
! [ -L "$path" ] || refuse 101 "$path is a link"
mounts_at "$path"
[ -z "$mounted_at$mounted_below" ] || refuse 101 "something is mounted on $mounted_at$mounted_below"
{ rm -rf "$path" && sync "${path%/*}/"; } || refuse 101 "$path can't be removed"
for d in "$base" "$base".*; do
	[ -e "$d" ] && exit 0
done
rm -rf "$rec" || refuse 101 "$rec can't be removed"
