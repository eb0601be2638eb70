// Package pages reads this repository's own Markdown for the tests that hold it
// to what is there: fenced blocks, inline code, links and the anchors of
// headings.
//
// It must not be imported by anything that is not a test, and it knows no more
// Markdown than these pages use.
package pages
