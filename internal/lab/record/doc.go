// Command record records a terminal session and draws it as an animated SVG,
// which shows on a page without a script or a player.
//
//	go run ./internal/lab/record -out internal/lab/demo.svg -- internal/lab/demo.sh bin/requeen
//
// The session runs in a terminal of 108 columns by script(1) of util-linux, and
// its bytes with their times are drawn by a terminal that knows what requeen and
// the lab print: text, colours, carriage return and erasing. Anything else is an
// error, so that nothing is drawn wrong in silence.
//
// It must not change what was printed: it shortens waits, no more.
package main
