package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// normalizeArgs turns -name into --name, so that both forms work for every
// flag: up to --, and, for commands that pass the rest on to another program
// (lab ssh NODE CMD…), up to their first argument.
func normalizeArgs(root *cobra.Command, args []string) []string {
	reader := argReader{current: root}
	out := make([]string, 0, len(args))
	for _, arg := range args {
		out = append(out, reader.next(arg))
	}
	return out
}

// argReader reads a command line word by word.
type argReader struct {
	current   *cobra.Command // the command that the words so far name
	passOn    bool           // the rest is another program's, or stands behind --
	valueNext bool           // the next word is the value of a flag
}

// next gives the form of a word that cobra reads.
func (r *argReader) next(arg string) string {
	switch {
	case r.passOn:
		return arg
	case r.valueNext:
		r.valueNext = false
		return arg
	case arg == "--":
		r.passOn = true
		return arg
	case len(arg) > 1 && arg[0] == '-':
		name := strings.TrimLeft(arg, "-")
		r.valueNext = takesValue(r.current, name)
		return dashed(arg, name)
	}
	if next := child(r.current, arg); next != nil {
		r.current = next
		return arg
	}
	r.passOn = r.current.Annotations["passes-on"] == "true"
	return arg
}

func dashed(arg, name string) string {
	if len(name) == 1 || name == "" || strings.HasPrefix(arg, "--") {
		return arg
	}
	return "--" + name
}

func child(cmd *cobra.Command, name string) *cobra.Command {
	for _, c := range cmd.Commands() {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

// takesValue tells whether the next argument is the flag's value, which may
// begin with a dash and is left alone.
func takesValue(cmd *cobra.Command, name string) bool {
	if strings.Contains(name, "=") {
		return false
	}
	flag := flagOf(cmd, name)
	return flag != nil && flag.NoOptDefVal == ""
}
