// Package state is what exists, as plain data: hosts, their engines and swarm
// directories, the swarm as a manager tells it, and backups in repositories.
//
// It must not import anything of ours nor any vendor package, read a clock, or
// decide: internal/observe fills it, plan decides from it.
//
// Nothing secret is in it: no key, token, secret's value or certificate's key.
// Where something could not be looked at it says so (Unknown); absence is only
// ever said of what was looked for and was not there (safety rule 4).
package state
