// Package forgetest runs the jobs of the example pipelines in tests: it takes their
// scripts out of the YAML as they are, and gives them a forge that answers gh and glab
// from a directory.
//
// It must not be imported by anything that is not a test. It shows that the scripts do
// what they should with what a forge answers; that a forge answers so, and keeps
// secrets from the jobs that it should, is not shown by it.
package forgetest
