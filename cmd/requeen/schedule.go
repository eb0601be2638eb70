package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/effects"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// varValue stands before the name of a variable that was given by -var, among the
// values of a schedule. No environment variable has a dot.
const varValue = "var."

// scheduleOf is what the schedule of a backup takes along from here.
func (s *session) scheduleOf(backup string) (effects.Schedule, error) {
	b := s.cfg.Backup(backup)
	if b == nil || b.Schedule == nil {
		return effects.Schedule{}, fmt.Errorf("the configuration has no schedule of a backup %q", backup)
	}
	if list := s.cfg.Outside.VarFiles; len(list) > 0 {
		return effects.Schedule{}, diag.Diagnostic{Severity: diag.Error, Summary: "A schedule's runs can't read " + strings.Join(list, ", "),
			Detail: "It was named by -var-file, and a run reads requeen.rqvars and *.auto.rqvars in the configuration's directory alone.",
			Remedy: "call it something.auto.rqvars and leave out -var-file, or give the values by -var or RQ_VAR_…"}
	}
	out := effects.Schedule{Config: map[string][]byte{}, Values: map[string][]byte{}}
	for _, f := range s.cfg.Files {
		out.Config[f.Name] = f.Bytes
	}
	for _, name := range s.cfg.Outside.Files {
		text, err := os.ReadFile(filepath.Join(s.cfg.Dir, filepath.FromSlash(name)))
		if err != nil {
			return effects.Schedule{}, err
		}
		out.Config[name] = text
	}
	for _, name := range s.cfg.Outside.Unneeded {
		out.Config[name] = nil // it is read, and may be empty
	}
	if err := s.scheduleValues(b, &out); err != nil {
		return effects.Schedule{}, err
	}
	out.Repositories = b.Places()
	for _, d := range b.Data {
		out.DataTime += dataParts * d.Timeout
		if d.Node != b.Schedule.On {
			continue
		}
		if d.Path != "" {
			out.Directories = append(out.Directories, d.Path)
		}
		out.Commands = out.Commands || onHost(d.Before) || onHost(d.After)
	}
	keys, err := s.scheduleSignKeys(b)
	out.SignKeys = keys
	return out, err
}

// dataParts are those of a data source that may each take as long as its timeout says:
// the command before, the stop of the services, the reading, the command after.
const dataParts = 4

// onHost tells whether there is a command, and it runs on the host itself.
func onHost(c *schema.Command) bool { return c != nil && c.Service == "" }

// scheduleSignKeys are the private keys of the repositories that hold a backup, by their
// labels. One that gets copies as they were signed elsewhere needs none.
func (s *session) scheduleSignKeys(b *schema.Backup) (map[string][]byte, error) {
	keys := map[string][]byte{}
	for i, name := range b.Places() {
		r := s.cfg.Repository(name)
		if i > 0 && r != nil && !r.SignKeySet() {
			continue
		}
		key, err := scheduleSignKey(r)
		if err != nil {
			return nil, err
		}
		if key != nil {
			keys[name] = key
		}
	}
	return keys, nil
}

// scheduleValues are the values of environment variables, and those given by -var. What
// env() names and is not set here stays as it is on the host: another machine, which had
// it, may have put it there.
func (s *session) scheduleValues(b *schema.Backup, out *effects.Schedule) error {
	for _, name := range s.cfg.Outside.Environment {
		if value, set := os.LookupEnv(name); set {
			out.Values[name] = []byte(value)
		} else if !slices.Contains(b.Schedule.Environment, name) {
			out.Keep = append(out.Keep, name)
		}
	}
	for _, name := range b.Schedule.Environment {
		value, set := os.LookupEnv(name)
		if !set {
			return diag.Diagnostic{Severity: diag.Error, Summary: name + " is not set, which the schedule of backup " + b.Name + " names in environment",
				Detail: "Its runs would lack it.", Remedy: "set it where requeen apply runs, or take it out of environment"}
		}
		out.Values[name] = []byte(value)
	}
	for _, in := range s.inputs {
		if in.File == "" {
			out.Values[varValue+in.Name] = []byte(in.Value)
		}
	}
	return nil
}

// scheduleSignKey is the private key of a repository whose backups are signed; nil of
// any other.
func scheduleSignKey(r *schema.Repository) ([]byte, error) {
	switch {
	case r == nil || !r.Signs():
		return nil, nil
	case r.SignKey.Known():
		return []byte(r.SignKey.Reveal()), nil
	case r.SignKeyFile == "":
		return nil, errors.New("the sign_key of repository " + r.Name + " is not known here")
	}
	return os.ReadFile(r.SignKeyFile)
}

// compareValues finds which values on the hosts are not those that are at hand here, and
// forgets the prints by which that is told. What is not at hand is not compared.
func (s *session) compareValues(st *state.State) {
	for i := range st.Hosts {
		for k := range st.Hosts[i].Schedules {
			have := &st.Hosts[i].Schedules[k]
			prints := have.Prints
			have.Prints, have.Stale = nil, nil
			if b := s.cfg.Backup(have.Backup); have.Cluster != s.cfg.Cluster.Name || b == nil || b.Schedule == nil {
				continue
			}
			if now, err := s.scheduleOf(have.Backup); err == nil {
				have.Stale = staleValues(prints, now)
			}
		}
	}
}

func staleValues(prints map[string]string, now effects.Schedule) []string {
	var list []string
	values := map[string][]byte{}
	for name, value := range now.Values {
		values[name] = value
	}
	for repository, key := range now.SignKeys {
		values[host.SignKeyValue(repository)] = key
	}
	for name, value := range values {
		if !host.Printed(prints[name], value) {
			list = append(list, name)
		}
	}
	for name := range prints {
		if _, given := values[name]; !given && strings.HasPrefix(name, varValue) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}
