package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// normalizeArgs turns -name into --name, so that both forms work for every
// flag: up to --, and, for commands that pass the rest on to another program
// (lab ssh NODE CMD…), up to their first argument.
func normalizeArgs(root *cobra.Command, args []string) []string {
	out := make([]string, 0, len(args))
	current, passOn := root, false
	valueNext := false
	for i, arg := range args {
		if arg == "--" || passOn {
			return append(out, args[i:]...)
		}
		if valueNext {
			out, valueNext = append(out, arg), false
			continue
		}
		if len(arg) > 1 && arg[0] == '-' {
			name := strings.TrimLeft(arg, "-")
			out = append(out, dashed(arg, name))
			valueNext = takesValue(current, name)
			continue
		}
		out = append(out, arg)
		if next := child(current, arg); next != nil {
			current = next
			continue
		}
		passOn = current.Annotations["passes-on"] == "true"
	}
	return out
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
	flag := cmd.Flags().Lookup(name)
	if flag == nil {
		flag = cmd.InheritedFlags().Lookup(name)
	}
	if flag == nil {
		flag = cmd.PersistentFlags().Lookup(name)
	}
	return flag != nil && flag.NoOptDefVal == ""
}
