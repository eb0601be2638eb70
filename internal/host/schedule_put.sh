# Puts a schedule on the host: its files from a tar archive on standard input, the
# program, which is there already, and its units. It may be begun again; what a cut try
# left is made anew. A run that is under way keeps what it has opened.
# Arguments: DIR NAME CLUSTER TOKEN MACHINE HELPER KEPT…; KEPT are the names of values
# that are not at hand where this comes from, and stay as they are.
dir=$1 name=$2 cluster=$3 token=$4 machine=$5 helper=$6
shift 6
need systemctl tar sha256sum stat sync
units=${units_dir:-/etc/systemd/system}
base=$dir/schedules/$name
unit=requeen-schedule-$name
lock_host
guard_machine "$machine"
guard_token "$cluster" "$token"
[ -x "$helper" ] || refuse 101 "the program $helper is not there"
rm -rf "$base/new"
mkdir -p "$base/new" "$base/journal" && chmod 700 "$dir/schedules" "$base" "$base/new" "$base/journal" ||
	refuse 104 "$base can't be made"
tar -x --no-same-owner -C "$base/new" -f - && [ -f "$base/new/complete" ] || {
	rm -rf "$base/new"
	refuse 101 "the schedule's files arrived incomplete"
}
[ -d "$base/files" ] || [ ! -d "$base/old" ] || mv -T "$base/old" "$base/files" # a cut came between
for value; do
	[ -f "$base/files/values/$value" ] || continue
	cat "$base/files/values/$value" >"$base/new/values/$value"
	printf 'values/%s\n' "$value" >>"$base/new/paths"
	while IFS= read -r line; do
		[ "${line%% *}" != "$value" ] || printf '%s\n' "$line" >>"$base/new/prints"
	done <"$base/files/prints"
done
ln "$helper" "$base/new/requeen" 2>/dev/null || cp "$helper" "$base/new/requeen" || refuse 104 "the program can't be put into $base"
stat -L -c %s "$base/new/requeen" >"$base/new/size"
(
	cd "$base/new" || exit 1
	while IFS= read -r p; do
		sha256sum "$p" || exit 1
	done <paths >sums
) || refuse 104 "the schedule's files can't be written"
sync "$base/new/sums" "$base/new/paths"
rm -rf "$base/old"
[ ! -d "$base/files" ] || mv -T "$base/files" "$base/old"
mv -T "$base/new" "$base/files" && rm -rf "$base/old" || refuse 104 "$base/files can't be replaced"
for u in service timer; do
	cat "$base/files/unit.$u" >"$units/.$unit.$u.new" && chmod 644 "$units/.$unit.$u.new" &&
		sync "$units/.$unit.$u.new" && mv -f "$units/.$unit.$u.new" "$units/$unit.$u" || refuse 104 "$units/$unit.$u can't be written"
done
systemctl daemon-reload || refuse 101 "systemd does not read its units"
systemctl enable --quiet "$unit.timer" && systemctl restart "$unit.timer" || refuse 101 "the timer $unit.timer can't be started"
