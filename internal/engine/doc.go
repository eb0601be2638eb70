// Package engine asks one Docker engine about itself and about its swarm, and
// unlocks it. It is the only importer of the Docker client.
//
// It must not choose a host, open a connection by itself (the caller brings the
// dialer), retry, wait for a state to be reached, log, or keep an unlock key.
// It must not change anything but by the calls whose name says so, and it knows
// nothing of the configuration.
//
// Nothing here has a time-out of its own: the caller's context is the only one,
// since a swarm without a quorum holds its callers for 20 s and an unlock
// without one holds the engine's control mutex for good.
package engine
