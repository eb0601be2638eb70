package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Machine is what the values depend on, without a name.
type Machine struct {
	Processor string  `json:"processor"`
	Cores     int     `json:"cores"`
	Memory    int64   `json:"memory"` // bytes
	Kernel    string  `json:"kernel"`
	Load      float64 `json:"load"` // of the minute before the section began
}

func (m Machine) String() string {
	return fmt.Sprintf("%d cores (%s), %d GB of memory, Linux %s, load before %.1f",
		m.Cores, m.Processor, (m.Memory+1<<29)>>30, m.Kernel, m.Load)
}

// thisMachine reads what can be known from /proc.
func thisMachine() Machine {
	m := Machine{Processor: "unknown", Cores: runtime.NumCPU(), Kernel: word("/proc/sys/kernel/osrelease", 0)}
	m.Load, _ = strconv.ParseFloat(word("/proc/loadavg", 0), 64)
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			m.Processor = strings.TrimSpace(value)
			break
		}
	}
	if kilo, err := strconv.ParseInt(word("/proc/meminfo", 1), 10, 64); err == nil {
		m.Memory = kilo << 10
	}
	return m
}

// word is the nth word of a file of /proc.
func word(file string, n int) string {
	data, _ := os.ReadFile(file)
	if f := strings.Fields(string(data)); n < len(f) {
		return f[n]
	}
	return ""
}

// busy is the processors' time at work and all of it, since boot.
func busy() (work, all float64) {
	for i := 1; i <= 8; i++ { // what follows is in the first two already
		v, _ := strconv.ParseFloat(word("/proc/stat", i), 64)
		all += v
		if i != 4 && i != 5 { // idle, and idle while a disk works
			work += v
		}
	}
	return work, all
}

// ownPeak is the most memory, in bytes, that this program had resident.
func ownPeak() int64 { return peak("self") }

// peak is the most memory, in bytes, that a process had resident since it became
// the program that it is. Of one that has ended it is 0.
func peak(process string) int64 {
	status, _ := os.ReadFile("/proc/" + process + "/status")
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilo, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kilo << 10
		}
	}
	return 0
}
