package state

import (
	"fmt"
	"slices"
	"strings"
)

// PlainService is what a service was asked for, as far as a raft log and a manager's
// API tell the same: what is compared between a backup and the living swarm. Words
// stand where swarmkit has numbers.
type PlainService struct {
	ID, Name        string
	Image           string
	Mode            string // replicated, global, replicated-job or global-job
	Replicas        uint64 // 0 where every node has one
	Command, Args   []string
	Env             []string
	Labels          map[string]string
	ContainerLabels map[string]string
	User, Dir       string
	Hostname        string
	Mounts          []string // "volume data -> /var/lib/data"
	Networks        []string // "ID (alias, alias)"
	Ports           []string // "8080 -> 80/tcp ingress"
	Secrets         []string // "name -> file"
	Configs         []string
	Constraints     []string
	EndpointMode    string
	CPULimit        int64 // in billionths of a CPU
	MemoryLimit     int64 // bytes
	CPUReserved     int64
	MemoryReserved  int64
	Forced          uint64 // how many times it was updated with force
}

// Spec is the service with a field for each thing that may differ. The values of
// environment variables are hidden behind digest's result.
func (s PlainService) Spec(digest func([]byte) string) Spec {
	out := Spec{Kind: "service", ID: s.ID, Name: s.Name, Fields: map[string]SpecField{}}
	for path, value := range map[string]string{"image": s.Image, "mode": s.Mode, "command": strings.Join(s.Command, " "), "args": strings.Join(s.Args, " "),
		"user": s.User, "directory": s.Dir, "hostname": s.Hostname, "endpoint-mode": s.EndpointMode,
		"replicas": number(s.Replicas), "limit.cpu": number(s.CPULimit), "limit.memory": number(s.MemoryLimit),
		"reservation.cpu": number(s.CPUReserved), "reservation.memory": number(s.MemoryReserved), "force-update": number(s.Forced)} {
		if value != "" {
			out.Fields[path] = SpecField{Value: value}
		}
	}
	for _, e := range s.Env {
		name, value, _ := strings.Cut(e, "=")
		out.Fields["env."+name] = SpecField{SHA256: digest([]byte(value))}
	}
	labelFields(out.Fields, "labels.", s.Labels)
	labelFields(out.Fields, "container-labels.", s.ContainerLabels)
	for path, list := range map[string][]string{"mounts": s.Mounts, "networks": s.Networks, "ports": s.Ports, "secrets": s.Secrets, "configs": s.Configs, "constraints": s.Constraints} {
		if len(list) > 0 {
			list = slices.Clone(list)
			slices.Sort(list)
			out.Fields[path] = SpecField{Value: strings.Join(list, ", ")}
		}
	}
	return out
}

func number[N int64 | uint64](n N) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// PlainObject is any other object than a service: fields are its words, labels its
// labels.
func PlainObject(kind, id, name string, fields, labels map[string]string) Spec {
	out := Spec{Kind: kind, ID: id, Name: name, Fields: map[string]SpecField{}}
	for path, value := range fields {
		if value != "" {
			out.Fields[path] = SpecField{Value: value}
		}
	}
	labelFields(out.Fields, "labels.", labels)
	return out
}

func labelFields(to map[string]SpecField, prefix string, labels map[string]string) {
	for k, v := range labels {
		to[prefix+k] = SpecField{Value: v}
	}
}

// PlainMount is a mount of a service.
func PlainMount(kind, source, target string, readOnly bool) string {
	text := strings.TrimSpace(strings.ToLower(kind)+" "+source) + " -> " + target
	if readOnly {
		text += " read-only"
	}
	return text
}

// PlainPort is a port that a service publishes.
func PlainPort(published, target uint32, protocol, mode string) string {
	return fmt.Sprintf("%d -> %d/%s %s", published, target, strings.ToLower(protocol), strings.ToLower(mode))
}

// PlainAttachment is a network that a service is in.
func PlainAttachment(target string, aliases []string) string {
	if len(aliases) == 0 {
		return target
	}
	return fmt.Sprintf("%s (%s)", target, strings.Join(aliases, ", "))
}

// PlainFile is a secret or config that a service mounts as a file.
func PlainFile(name, file string) string {
	if file == "" || file == name {
		return name
	}
	return name + " -> " + file
}

// Flag is what stands for a yes; a no is left out.
func Flag(yes bool) string {
	if yes {
		return "yes"
	}
	return ""
}
