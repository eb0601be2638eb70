package repository

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

func thisProcess() process {
	p := process{PID: os.Getpid(), Boot: readLine("/proc/sys/kernel/random/boot_id")}
	if id := readLine("/etc/machine-id"); id != "" {
		sum := sha256.Sum256([]byte("requeen lock " + id))
		p.Machine = hex.EncodeToString(sum[:8])
	}
	p.PIDNamespace, _ = os.Readlink("/proc/self/ns/pid")
	_, p.Start, _ = processStat(p.PID)
	return p
}

func readLine(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// processGone asks the kernel by signal 0 first: /proc may hide others'
// processes.
func processGone(pid int, start uint64) bool {
	if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
		return true
	}
	status, began, err := processStat(pid)
	if err != nil {
		return false
	}
	if began != start {
		return true
	}
	if status != "Z" && status != "X" {
		return false
	}
	// A dead first thread, with others alive, looks like a dead process.
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	return err == nil && len(threads) <= 1
}

// processStat reads a process's state and when it began, fields 3 and 22 of
// proc(5)'s stat; the name before them may hold spaces and brackets.
func processStat(pid int) (status string, start uint64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0, err
	}
	text := string(data)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return "", 0, fmt.Errorf("/proc/%d/stat has %d fields after the name", pid, len(fields))
	}
	start, err = strconv.ParseUint(fields[19], 10, 64)
	return fields[0], start, err
}
