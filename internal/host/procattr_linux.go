package host

import "syscall"

// masterAttr keeps a terminal's interrupt from ssh, which has to outlive the
// first one, and ends it with this process in case the closed pipe does not.
func masterAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
