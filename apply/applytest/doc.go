// Package applytest is a world in memory for apply's ports: managers, the
// detached units on their hosts, repositories and a clock that moves when
// somebody waits. It is a fake, for faults only: it cuts, delays and breaks
// what a real swarm would do too seldom. What real engines do is shown by the
// end-to-end tests, never by this.
package applytest
