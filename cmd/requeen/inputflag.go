package main

import (
	"fmt"
	"strings"

	"github.com/requeen/requeen/schema"
)

// inputFlag collects -var and -var-file in one list, since their order decides
// which of them wins. Its type says that it may be repeated.
type inputFlag struct {
	inputs *[]schema.Input
	file   bool
}

func (f *inputFlag) String() string { return "" }
func (f *inputFlag) Type() string   { return "stringArray" }

func (f *inputFlag) Set(text string) error {
	if f.file {
		*f.inputs = append(*f.inputs, schema.Input{File: text})
		return nil
	}
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return fmt.Errorf("want NAME=VALUE, not %q", text)
	}
	*f.inputs = append(*f.inputs, schema.Input{Name: name, Value: value})
	return nil
}
