// Package view puts words on a screen: diagnostics, plans, the progress of a
// run, and backups, for people and as JSON; and plans for who reviews them, as
// markdown, as a page, and as graphs.
//
// It must not decide, observe or read a clock (times that are shown relative to
// now are told what now is), and it must not be handed anything secret: what it
// gets, it prints. What comes from outside (names, labels, errors) it must not let
// be anything but text, wherever it is shown.
package view
