// Package raftdirtest builds real swarm directories for tests, with swarmkit's
// own CA, key writer and raft log, so that tests need no engine. What it builds
// has the form that a manager leaves when it is stopped.
//
// It is for tests only, and must not import internal/raftdir: what reads a
// directory must not be what wrote it.
package raftdirtest
