//go:build lab

package main

import (
	"os"
	"time"
)

// With the build tag lab, RQ_TESTONLY_LOOKED_BEFORE=2m makes the program judge the
// loss of a quorum as if it had been looking for that long. The end-to-end tests
// build the program so; a release has none of this.
func init() {
	if d, err := time.ParseDuration(os.Getenv("RQ_TESTONLY_LOOKED_BEFORE")); err == nil {
		lookedBefore = d
	}
}
