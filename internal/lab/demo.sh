#!/bin/sh
# The main job on a real swarm, from nothing to a verified backup, and nothing
# left behind. Needs root: it makes containers and a bridge.
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
run lab status -name "$name"

export RQ_SSH_CONFIG="$dir/ssh/config"
work=$(mktemp -d)
export XDG_STATE_HOME="$work"
cd "$dir"

say "cat $dir/lab.rq.hcl"
cat lab.rq.hcl
run plan -out "$work/demo.plan"
run apply "$work/demo.plan"
run backup list
run backup verify latest
run plan -detailed-exitcode
run lab down -name "$name"
rm -rf "$work"
trap - EXIT
printf '\nThe swarm was backed up from a plan, and nothing of the lab is left.\n'
