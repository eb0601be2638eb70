// Command requeen backs up Docker Swarm managers from a reviewed plan.
//
// This package is wiring and flags, one file a command. It must not decide
// what a run does (package plan), nor act on a host itself (package apply and
// what stands behind its ports).
package main
