// Package view puts words on a screen: diagnostics, plans, the progress of a
// run, and backups, for people and as JSON.
//
// It must not decide, observe or read a clock (times that are shown relative to
// now are told what now is), and it must not be handed anything secret: what it
// gets, it prints.
package view
