package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/schema"
)

// given is what was put beside the program on a schedule's host.
type given struct {
	dir    string // with values and keys; "" for none
	on     string // the node that is this machine; "" where that is not said
	export []string
}

// values reads what stands in the place of the environment and of -var. What is to be
// exported is set in the program's own environment, where libraries look for it.
func (g given) values(f *configFlags) error {
	if g.dir == "" {
		return nil
	}
	entries, err := os.ReadDir(filepath.Join(g.dir, "values"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(g.dir, "values", e.Name()))
		if err != nil {
			return err
		}
		if name, is := strings.CutPrefix(e.Name(), varValue); is {
			f.inputs = append(f.inputs, schema.Input{Name: name, Value: string(text)})
			continue
		}
		f.environ = append(f.environ, e.Name()+"="+string(text))
	}
	for _, name := range g.export {
		text, err := os.ReadFile(filepath.Join(g.dir, "values", name))
		if err != nil {
			return err
		}
		if err := os.Setenv(name, string(text)); err != nil {
			return err
		}
	}
	return nil
}

// adapt makes a configuration that was read elsewhere fit this machine: this node is
// reached without ssh, another that was local there is not here, and the keys to sign
// with are those that were put here.
func (g given) adapt(cfg *schema.Config) error {
	if g.on != "" && cfg.Node(g.on) == nil {
		return diag.Diagnostic{Severity: diag.Error, Summary: "There is no node " + g.on, Detail: "-on names the declared node that this machine is.", Remedy: "name a declared node"}
	}
	for i := range cfg.Nodes {
		switch c := &cfg.Nodes[i].Connection; {
		case g.on == "":
		case cfg.Nodes[i].Name == g.on:
			*c = schema.Connection{Local: true, Range: c.Range}
		case c.Local:
			*c = schema.Connection{None: true, Range: c.Range}
		}
	}
	for i := range cfg.Repositories {
		r := &cfg.Repositories[i]
		key := filepath.Join(g.dir, "keys", r.Name)
		if _, err := os.Stat(key); g.dir != "" && err == nil {
			r.SignKeyFile, r.SignKey = key, schema.Secret{}
		}
	}
	return nil
}
