// Package schema is requeen's language: the *.rq.hcl files of a directory and
// the values of their variables become a Config, plain data that the planner
// and the observer work from.
//
// Load tells every mistake at once, each with its place in the files, the lines
// concerned and a remedy. The blocks and their attributes are described in one
// table a block (cluster.go, node.go, …), which the decoder, the suggestions
// for misspelt names and the reference page (reference.md) all read, so that
// they can't differ.
//
// What it must not do: contact anything; read other files than the
// configuration's own, the variable files it is given and what file() names;
// decide what is to be done about a cluster; let cty or hcl out of its exported
// API; or put a sensitive value into a diagnostic, a digest or the Config
// anywhere but in a Secret (and a repository's identity, which is a path).
package schema
