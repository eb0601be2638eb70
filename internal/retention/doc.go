// Package retention says which backups stay and which go: a pure function of their
// times, with a reason for each. It knows no clock, no repository and no plan, and
// removes nothing.
package retention
