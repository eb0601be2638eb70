// Package lab makes a real, disposable Docker swarm on one Linux machine, and
// takes it away again without a trace.
//
// Every node is a systemd-nspawn container that boots systemd as PID 1, with
// Debian's own docker.service and ssh.service, its own root (an overlay over
// the machine's), network namespace, address and /var/lib/docker. Nothing is
// simulated: what works on the lab has worked on real engines, real ssh and
// real systemctl.
//
// # How a lab is held
//
// The mounts of a node live in a mount namespace of its own and its links in a
// network namespace of its own, so both end with the node's last process. All
// nodes meet at a bridge in one more network namespace, the switch; the machine
// sees a single interface, rq-NAME. The processes of a node are all below one
// control group, requeen-lab-NAME/NODE, by which they are found and killed:
// no process is ever looked up by its name or by a number in a file.
//
// The file state.json in the lab's directory is written before anything that
// it names is made. Up and Down can be killed at any point and run again.
//
// # What this package must not do
//
// It never touches what it did not make: no engine, interface, firewall rule,
// file or process of the machine. It never edits the machine's package
// sources. The only change to the machine is the installation of packages that
// it first names, and only when asked to. It imports nothing of this module
// but internal/diag, so that a fault of the product can't hide in its test bed.
package lab
