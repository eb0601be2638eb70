// Package scenario holds the end-to-end tests: the requeen program, as a
// person runs it, against real swarms that internal/lab makes. A test reads as
// swarm, action, expectation, in words that swarm_test.go gives it:
//
//	s := newSwarm(t, lab.Options{…})                    the swarm
//	s.fresh(t)                                          with an empty repository and journal
//	s.edit("m1", "m2"); s.configure(text)               and another configuration
//
//	s.does("plan", "-out", "backup.plan")               a person types it, and it works
//	s.refuses([]string{"RQ403"}, "apply", "old.plan")   or is refused, with these words
//	s.on("m1", "systemctl stop docker")                 somebody else types it on a node
//	s.lab.Break(…), Cut, Kill, Lead, Heal, Reset        the world has its way
//
//	s.loses("m2", "m3"); s.powerCut(…)                  disks are new, or the power was gone
//	s.recovers("force_new_cluster", "m1")               a plan by that rung, approved by its digest
//
//	s.eventually(time.Minute, "m1 to be locked", …)     a condition comes to hold
//	s.allBack()                                         every manager is reachable
//	s.oneVerifiedBackup()                               the repository holds that, and it opens
//	s.nothingLeft()                                     no copy, timer, unit, key or lock is left
//	s.nothingToDo()                                     the next plan is empty
//	s.recovered(before, "m1", "w1")                     every manager, all that was held, those node IDs
//	s.untouched("a flipped bit", engines)               no engine was stopped, and nothing is left
//	s.keptElsewhere("m1", "mount")                      its swarm directory is behind a mount or a link
//	s.anew("m3", "w1"); s.rotateRoot()                  node IDs or a root CA that no backup knows
//
// Recoveries are stories (recovery_test.go): losses of one swarm, one after the
// other, each of which ends with a whole one.
//
// It must hold no fake of what requeen works on. The forge of the pull request's
// stories is one, of internal/forgetest. Its tests carry the build tag lab, need
// root, and fail where a lab can't be made.
package scenario
