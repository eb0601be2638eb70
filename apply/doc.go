// Package apply runs a plan: for each step the guard, the journalled intent,
// the effect, the wait for its outcome, and the journalled outcome.
//
// It must not import a vendor, internal/host, internal/engine,
// internal/raftdir or internal/repository: what it needs of them stands in
// ports.go, and internal/effects joins them. It must not decide: what runs is
// the plan's list and nothing else. It must not print: what happens goes to a
// Sink. Nothing secret passes through it, and none is journalled: secrets stay
// behind the ports.
package apply
