// The program bench measures what requeen costs, next to what one would do
// without it: how long an engine is down in a backup, what memory an apply
// takes, how long a plan of three and of fifty nodes takes, how large the
// program is, and how fast a directory is archived. make bench runs it; it needs what a lab needs.
//
// What is compared alternates within one run, on the same manager or on the
// same nodes, and is judged by the ratios of each round, not by times of
// different days. Results are kept beside it: results.json has every single
// value, results.md is rendered from that alone.
//
// # What this program must not do
//
// It drives the built program from outside and imports nothing of it, so that
// what is measured is what is shipped; the archiver, a program below this one, is what
// the product does with an archive and no more. It must not throw a value away, nor try
// a round again because its value is not liked: a round counts, or the whole
// section fails. It must not hold a secret of a real swarm; all it sees is a
// lab's.
package main
