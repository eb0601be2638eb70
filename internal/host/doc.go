// Package host reaches a machine, by the system's OpenSSH client or locally,
// and does there what must be done on the machine itself: run a script, stream,
// dial the engine's socket, look (Probe), and run a backup detached from the
// operator's connection (BeginBackup and what follows it).
//
// One multiplexed ssh connection serves a host. Its master is a child of this
// process whose remote command reads a pipe that this process holds: when the
// process ends in whatever way, the pipe closes and the connection goes, and
// nothing is left to expire.
//
// A backup's stop, copy, start and unlock run as one transient systemd unit on
// the host (backup_unit.sh), beside a rescue timer, so that neither the end of
// this process nor a cut network leaves a manager stopped. Every remote command
// that changes something checks what the plan was made for (machine, node
// certificate, run token) in the same shell, under the host's lock.
//
// A recovery's commands (Surgery) hold an engine over reboots (hold file and
// drop-ins), put its raft state or its whole swarm directory aside, put a prepared
// one in its place, and let it go. What held state is renamed and never deleted;
// docker-state.json is the first to go and never comes back, so that wherever a
// command is cut, an engine that starts all the same is inactive and contacts
// nobody. Each leaves its traces in <state directory>/recoveries/<ID>, for the
// next command and the next probe.
//
// It must not decide anything, print, or keep a secret in an argument, an
// environment, a log or on a disk: secrets travel on standard input, and the
// unlock key rests in a FIFO on the host only. It must never accept a host key
// that ssh has not on record. Of ours it imports state and diag only.
package host
