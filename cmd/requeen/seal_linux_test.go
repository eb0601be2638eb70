package main

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Where a filter of system calls finds the call's number and the low half of its
// first argument.
const callNumber, firstArgument = 0, 16

// seal has the kernel kill this process, whichever of its threads, once it opens a
// socket or begins another process: what ends well in it has done neither.
func seal() {
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	give := func(what uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: what} }
	// unless skips the next so many instructions where the value is another.
	unless := func(value uint32, skip uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: skip, K: value}
	}
	filter := []unix.SockFilter{load(callNumber),
		unless(unix.SYS_SOCKET, 1), give(unix.SECCOMP_RET_KILL_PROCESS),
		unless(unix.SYS_EXECVE, 1), give(unix.SECCOMP_RET_KILL_PROCESS),
		unless(unix.SYS_CLONE3, 1), give(unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)), // C's library falls back to clone
		unless(unix.SYS_CLONE, 4), load(firstArgument),
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, Jt: 1, K: unix.CLONE_THREAD}, give(unix.SECCOMP_RET_KILL_PROCESS), give(unix.SECCOMP_RET_ALLOW),
		give(unix.SECCOMP_RET_ALLOW),
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		unsealed(err)
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		unsealed(errno)
	}
}

func unsealed(err error) {
	fmt.Fprintln(os.Stderr, "this process can't be sealed:", err)
	os.Exit(1)
}
