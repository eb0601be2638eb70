// Package plan decides: Build compares a configuration with what was observed
// and gives the ordered list of steps that brings them together, each with its
// reason, its risk and the quorum's margin after it.
//
// It is pure. It must not read a clock, a file, the network, the environment or
// a random source, must not prompt, log or print, and must not let the order of
// a map show in what it gives: the same input gives the same bytes. It imports
// schema, internal/state and internal/diag only, never a vendor. It must not
// act, and must not hold anything secret: that a key is known is all it asks.
//
// What can't be done is no error but an Unmet goal with its reason and remedy,
// and one unmet goal does not hold up another. An error from Build is a mistake
// in this package: a plan that breaks an invariant when it is simulated.
package plan
