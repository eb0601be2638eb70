// Package scenario holds the end-to-end tests: the requeen program, as a
// person runs it, against real swarms that internal/lab makes. A test reads as
// swarm, action, expectation; the words are in swarm_test.go.
//
// It must hold no fake of anything. Its tests carry the build tag lab, need
// root, and fail where a lab can't be made.
package scenario
