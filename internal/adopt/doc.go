// Package adopt makes the configuration of a swarm from what was observed of
// it: the reverse of what plan compares.
//
// It must not look at anything itself, write files, or guess: what the swarm
// does not tell (the address of a worker that was never seen, a key, a
// recipient) is left open with a comment or a diagnostic that says so. Nothing
// secret is in what it makes. What it declares is what was observed, so that
// the first plan of it finds no difference.
package adopt
