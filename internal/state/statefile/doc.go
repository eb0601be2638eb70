// Package statefile is an observation's bytes: what was there when somebody who
// can reach the hosts looked, for a plan that is made where nobody can.
//
// The document is indented JSON: the format's version, the version of the program
// that looked, and the state. What binds a plan to machines is in it (host keys,
// machine IDs, node IDs), and nothing secret is, as nothing secret is in a State.
// The package must not look at anything but the document, decide, or mend one that
// is not whole, and it imports internal/state, internal/diag and
// internal/atomicfile only.
package statefile
