// Package raftdir reads a private copy of a swarm directory (certificates/,
// raft/): Verify proves that it can be restored, Survey tells how far its log
// goes, and Prepare makes a new directory of it, beside, on which an engine can
// be forced. It is the only importer of
// swarmkit and etcd, and uses their own decoders for all that they decode.
//
// What it must not do:
//
//   - open a directory that a running engine owns. Every directory that it is
//     given is a copy; where the system can tell that a log is in use, Verify
//     refuses (ErrInUse). Reading opens files read-only; swarmkit's own loader,
//     which creates, repairs and zeroes files, gets a scratch copy of raft/.
//   - return, log or put into an error any key, unlock key, token, or the name
//     or payload of an object of the swarm. Errors name files, indexes, node
//     IDs and cluster IDs.
//   - print: the loggers of swarmkit and etcd are silenced.
//   - decide. It says what is in the copy; plan decides what follows from it.
//   - change what it is given. Prepare writes a directory that was not there,
//     and takes it away again unless it has proved what it wrote.
//   - be lenient with a backup. What Verify can't prove is an error, also where
//     an engine would start: a torn end that an engine repairs by forgetting, a
//     newest snapshot that it skips, a log that swarmkit's loader takes and the
//     engine then panics on. Survey and Prepare, which work with what a disaster
//     has left, follow the engine there and say so (Torn), but not where it would
//     forget what the log itself says was committed.
package raftdir
