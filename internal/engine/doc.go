// Package engine asks one Docker engine about itself and about its swarm, and
// makes the calls that change them: unlock, init, join, leave, and updates of
// the swarm and its nodes; and it creates containers that keep volumes, and starts
// none. It is the only importer of the Docker client.
//
// It must not choose a host, open a connection by itself (the caller brings the
// dialer), wait for a state to be reached, log, or keep an unlock key or a join
// token; neither is ever in an error. It must not try again, but for one more
// reading and writing where somebody wrote in between, and then nothing was
// written before. It must not change anything but by the calls whose name says
// so, and it knows nothing of the configuration.
//
// Nothing here has a time-out of its own: the caller's context is the only one,
// since a swarm without a quorum holds its callers for 20 s and an unlock
// without one holds the engine's control mutex for good.
package engine
