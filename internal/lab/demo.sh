#!/bin/sh
# The main job on a real swarm, from nothing to a verified backup, and the worst
# day: two of three managers lose their disks, and the swarm comes back from a
# plan. Nothing is left behind. Needs root: it makes containers and a bridge.
set -eu

bin=$(readlink -f "$1")
name=demo
dir=/var/lib/requeen-lab/$name

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
run() { say "requeen $*"; "$bin" "$@"; }

[ "$(id -u)" = 0 ] || { echo "make demo needs root: the lab makes containers, network namespaces and a bridge." >&2; exit 1; }
work=/nonexistent
trap 'rm -rf "$work"; "$bin" lab down -name "$name" >/dev/null 2>&1 || echo "the lab is not wholly gone: requeen lab down -name $name" >&2' EXIT
trap 'exit 130' INT TERM

run lab up -install -name "$name" -managers 3 -workers 1

say "export RQ_SSH_CONFIG=$dir/ssh/config"
export RQ_SSH_CONFIG="$dir/ssh/config"
work=$(mktemp -d)
export XDG_STATE_HOME="$work"
cd "$work"

say "cp $dir/lab.rq.hcl . && cat lab.rq.hcl"
cp "$dir/lab.rq.hcl" .
cat lab.rq.hcl
run status || [ $? = 2 ] # 2: something needs a hand, a backup that is due
run plan -out demo.plan
run apply demo.plan
run backup list
run backup verify latest
run status
run plan -detailed-exitcode

say "cat >> lab.rq.hcl   # a recovery takes only what is allowed"
cat >> lab.rq.hcl <<'end'

recovery {
  allow = ["start", "unlock", "force_new_cluster", "restore"]
}
end
run lab break -name "$name" m2 -how wipe
run lab break -name "$name" m3 -how wipe
run status || [ $? = 2 ]
run plan -out recovery.plan
run apply -approve=RQ120,RQ122 recovery.plan
run lab ssh -name "$name" m1 docker node ls
run apply -auto-approve
run plan -detailed-exitcode
cd /
run lab down -name "$name"
rm -rf "$work"
trap - EXIT
printf '\nThe swarm was backed up from a plan and recovered from a plan, and nothing of the lab is left.\n'
