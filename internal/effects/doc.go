// Package effects joins hosts, engines, raft directories and repositories into
// the ports that package apply declares.
//
// It must not decide which step comes next, write a journal, or print. Secrets
// (the unlock key) live here and below, never in what it returns; plaintext of
// a swarm directory is only in memory-backed private storage.
package effects
