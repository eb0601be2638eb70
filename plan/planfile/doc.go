// Package planfile is a plan's bytes: the document that is reviewed, and the
// digest by which it is approved.
//
// The document is indented JSON. Its last top-level key is "digest", over the
// bytes before the line that holds it; the same plan has the same bytes. The
// package must not decide, look at anything but the document, or mend one that
// was altered, and it imports plan, internal/diag and internal/atomicfile only.
package planfile
