//go:build !linux

package host

import "syscall"

// masterAttr keeps a terminal's interrupt from ssh, which has to outlive the
// first one.
func masterAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
