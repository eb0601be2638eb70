#!/bin/sh
# beside.sh LOG COMMAND…: runs a command that only computes beside a lab's tests, with
# what they leave of the processors, and shows its output where it fails.
set -u
log=$1
shift
# A session of its own: the kernel shares the processors out between sessions first, and
# between the processes of one by their nice values afterwards.
setsid -w sh -c 'echo 19 2>/dev/null >/proc/self/autogroup; exec nice -n 19 "$@"' beside "$@" >"$log" 2>&1 &
trap 'kill -- -$! 2>/dev/null; exit 130' INT TERM
wait $! && exit
status=$?
cat "$log"
exit "$status"
