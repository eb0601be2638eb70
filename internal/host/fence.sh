# Holds an engine and takes its raft state out of its place. Without
# docker-state.json, which goes first, the engine contacts nobody when it starts.
surgery "$@"
guards
guard_mounts
hold_engine
need_held
if [ -d "$swarm" ]; then
	save_certificates
	mark fencing
	put_aside docker-state.json
	put_aside raft
fi
mark fenced
tell_aside
