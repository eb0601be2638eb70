package schema

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConsole(t *testing.T) {
	dir := t.TempDir()
	text := `variable "dc" {
  default = "ams"
}
variable "key" {
  default   = "hunter2"
  sensitive = true
}
locals {
  name = "m1.${var.dc}"
}
`
	if err := os.WriteFile(filepath.Join(dir, "x.rq.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, ds := OpenConsole(dir, Options{Inputs: []Input{{Name: "dc", Value: "fra"}}})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	for expr, want := range map[string]string{
		`1 + 2`: "3", `local.name`: `"m1.fra"`, `var.key`: "(sensitive)", `[var.key]`: "(sensitive)",
		`upper(var.dc)`: `"FRA"`, `cidrhost("10.0.0.0/24", 5)`: `"10.0.0.5"`, `toset(["b", "a"])`: `["a", "b"]`, `null`: "null",
		`env("NOT_SET")`: "(sensitive)",
	} {
		if got, ds := c.Eval(expr); got != want || len(ds) > 0 {
			t.Errorf("%s gives %s, want %s; %v", expr, got, want, ds)
		}
	}
	for expr, says := range map[string]string{
		`local.nane`: `"name"`, `uper("x")`: "upper", `1 +`: "", `each.key`: "for_each", `timestamp()`: "",
		`"${var.key}" == 3 ? file("x") : upper(var.key, 1)`: "",
	} {
		_, ds := c.Eval(expr)
		if !ds.HasErrors() || !strings.Contains(ds.Error(), says) {
			t.Errorf("%s: %v, want %q", expr, ds, says)
		}
		if strings.Contains(ds.Error(), "hunter2") {
			t.Errorf("%s shows the secret: %v", expr, ds)
		}
	}
	if got, _ := c.Eval("1"); got != "1" {
		t.Errorf("after mistakes: %s", got)
	}
	empty, ds := OpenConsole(t.TempDir(), Options{})
	if got, _ := empty.Eval(`max(1, 2)`); len(ds) > 0 || got != "2" {
		t.Errorf("without a configuration: %s, %v", got, ds)
	}
	for text, open := range map[string]bool{"[1,": true, "[1]": false, "{ a = (": true, `"(" `: false, "": false, ")": false} {
		if Incomplete(text) != open {
			t.Errorf("Incomplete(%q) is %t", text, !open)
		}
	}
}

// Every row of the tables is in the description, and the description is JSON.
func TestDescribe(t *testing.T) {
	l := Describe()
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	var count func(*blockSpec) (int, int)
	count = func(s *blockSpec) (blocks, attrs int) {
		blocks, attrs = 1, len(s.attrs)
		for _, n := range s.blocks {
			b, a := count(n)
			blocks, attrs = blocks+b, attrs+a
		}
		return blocks, attrs
	}
	blocks, attrs := 0, 0
	for _, s := range topLevel {
		b, a := count(s)
		blocks, attrs = blocks+b, attrs+a
	}
	if got := strings.Count(string(text), `"type":`); got != attrs {
		t.Errorf("%d attributes are described, there are %d", got, attrs)
	}
	if got := strings.Count(string(text), `"count":`); got != blocks {
		t.Errorf("%d blocks are described, there are %d", got, blocks)
	}
	if len(l.Functions) < 60 {
		t.Errorf("%d functions", len(l.Functions))
	}
}
