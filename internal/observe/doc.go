// Package observe fills a state.State: every declared host with its engine and
// its swarm directory, the swarm as one manager tells it, and what is in the
// declared repositories; all of it in parallel, each look with a time-out of
// its own.
//
// It must not change anything anywhere, and that has one consequence that is
// easily missed: it never dials the socket of an engine whose unit does not
// run, since systemd would start the engine for it, perhaps one that was
// fenced.
//
// It must not decide (plan does, the matching of declared nodes to the swarm's
// included), print, prompt, or keep a secret: of the unlock key it notes only
// that a manager tells it. It must not say that something is absent unless it
// looked where it would have been (safety rule 4); a look that failed or was cut
// short leaves it unknown.
package observe
