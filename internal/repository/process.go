package repository

import (
	"os"
	"os/user"
	"strconv"
)

// process names a process so that another one on the same kernel can tell
// whether it still runs. Zero where that can't be told.
type process struct {
	Machine      string `json:"machine,omitempty"`       // hash of the machine-id, for people
	Boot         string `json:"boot,omitempty"`          // the kernel's boot ID: one kernel, one boot
	PIDNamespace string `json:"pid_namespace,omitempty"` // what the PID counts in
	PID          int    `json:"pid,omitempty"`
	Start        uint64 `json:"start,omitempty"` // ticks since the boot, tells a PID used again
}

// gone tells that the process provably has ended. False says nothing: it runs,
// or it can't be told from here.
func (p process) gone() bool {
	here := thisProcess()
	if p.PID <= 0 || p.Start == 0 || p.Boot == "" || p.Boot != here.Boot || p.PIDNamespace == "" || p.PIDNamespace != here.PIDNamespace {
		return false
	}
	return processGone(p.PID, p.Start)
}

func defaultOwner() string {
	name := "uid " + strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return name + "@" + host + " " + strconv.Itoa(os.Getpid())
}
