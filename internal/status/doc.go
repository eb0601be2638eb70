// Package status judges a cluster as it was observed: what is fine, what could
// not be told, and what needs a hand, each with what to type.
//
// It must not look at anything, read a clock, print, or know a host: it is as
// pure as plan, whose judgements it repeats and never contradicts. Nothing
// secret is in a Report.
package status
