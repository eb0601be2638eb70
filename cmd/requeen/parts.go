package main

import (
	"fmt"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/plan"
)

// checkParts refuses parts of a backup that can't be named so, or can't be chosen.
func (w wish) checkParts() error {
	for _, part := range append(append([]string{}, w.only...), w.exclude...) {
		kind, name, named := strings.Cut(part, ".")
		if part == plan.PartSwarm || named && name != "" && (kind == state.DataVolume || kind == state.DataDirectory) {
			continue
		}
		return diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("%q is no part of a backup", part),
			Detail: "A part is the swarm, a volume or a directory, as the backup block names it. Nothing was contacted.",
			Remedy: "write swarm, volume.NAME or directory.NAME; requeen backup show tells what a backup holds"}
	}
	swarm := len(w.only) == 0
	for _, part := range w.only {
		swarm = swarm || part == plan.PartSwarm
	}
	for _, part := range w.exclude {
		swarm = swarm && part != plan.PartSwarm
	}
	switch {
	case w.restore == "" && (len(w.only) > 0 || !swarm):
		return diag.Diagnostic{Severity: diag.Error, Summary: "-only and -exclude=swarm need -restore",
			Detail: "They say which parts of a backup are restored, and no restore is asked for.", Remedy: "add -restore=latest, or the ID of a backup"}
	case w.onto != "" && !swarm:
		return diag.Diagnostic{Severity: diag.Error, Summary: "-onto is for the swarm, which is not restored",
			Detail: "Data go to the node where the configuration puts them.", Remedy: "leave -onto out; to restore onto another node, declare that node in the volume or directory block"}
	}
	return nil
}
