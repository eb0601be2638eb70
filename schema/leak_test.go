package schema

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// Two secrets, one configuration: whatever an expression does with them, what
// comes out and may be shown is the same, or nothing comes out.
func TestSecretsDoNotFlow(t *testing.T) {
	t.Parallel()
	sources := []string{`env("S")`, `var.s`, `local.s`, `sensitive(var.plain)`, `file("s.txt")`, `local.o.k`, `jsondecode("{\"a\":\"${env("S")}\"}").a`}
	through := []string{
		`%s`, `upper(%s)`, `"x${%s}"`, `length(%s)`, `[%s][0]`, `{ a = %s }.a`, `{ (%s) = "x" }`, `keys({ (%s) = "x" })[0]`,
		`can(regex("^a", %s))`, `try(regex("^a", %s), "none")`, `try(tonumber(%s), "none")`, `can(tonumber(%s)) ? "a" : "b"`,
		`%s == "aaaaaaaa"`, `%s == "aaaaaaaa" ? "10.0.0.1" : "10.0.0.2"`, `startswith(%s, "a")`, `contains(["aaaaaaaa"], %s)`,
		`lookup({ aaaaaaaa = "x" }, %s, "y")`, `index(["aaaaaaaa", "bbbbbbbb"], %s)`, `[for c in ["a", "b"] : c if startswith(%s, c)]`,
		`{ for c in ["a", "b"] : c => c if startswith(%s, c) }`, `join("", [for c in split("", %s) : c])`, `jsonencode({ a = %s })`,
		`coalesce(%s, "x")`, `element(["x", "y"], length(%s))`, `setproduct([%s], ["x"])`, `toset([%s])`, `zipmap([%s], ["x"])`,
		`formatlist("%%s", [%s])`, `merge({ a = %s }, { b = "x" })`, `flatten([[%s]])`, `compact([%s])`, `{ a = [%s] }.a[*]`,
		`replace("aaaaaaaa", %s, "")`, `substr(%s, 0, 1)`, `sort([%s])`, `distinct([%s, "aaaaaaaa"])`, `length(distinct([%s, "aaaaaaaa"]))`,
		`length(toset([%s, "aaaaaaaa"]))`, `length([for c in ["a"] : c if startswith(%s, c)])`, `length({ for c in ["a"] : c => c if startswith(%s, c) })`,
		`"%%{ if startswith(%s, "a") }x%%{ else }y%%{ endif }"`, `"%%{ for c in ["a"] }%%{ if startswith(%s, c) }x%%{ endif }%%{ endfor }"`,
		`setintersection([%s], ["aaaaaaaa"])`, `length(setintersection([%s], ["aaaaaaaa"]))`, `can({ aaaaaaaa = 1 }[%s])`, `try({ aaaaaaaa = "1" }[%s], "2")`,
		`range(length(replace(%s, "a", "")))`, `tostring(startswith(%s, "a"))`, `{ true = "10.0.0.1", false = "10.0.0.2" }[startswith(%s, "a")]`,
		`cidrhost("10.0.0.0/24", length(replace(%s, "a", "")))`, `can(try(regex("^a", %s)))`, `try(can(regex("^a", %s)), false)`,
		`setsubtract(["aaaaaaaa"], [%s])`, `matchkeys(%s)`, `csvdecode("a\n${%s}")[0].a`, `chunklist([%s], 1)[0][0]`, `slice(["x", "y"], 0, length(%s) - 7)`,
		`lookup({ a = %s }, "a", "x")`, `values({ a = %s })`, `reverse([%s])`, `max(length(%s), 9)`, `regexall("a", %s)`, `length(regexall("a", %s))`,
		`[for c in [%s] : { a = "x", b = "y" }[substr(c, 0, 1)]][0]`, `[for c in [%s] : can(regex("^a", c))][0]`, `["x", "y"][startswith(%s, "a") ? 0 : 1]`,
		`{ a = { x = "x" }, b = { x = "y" } }[substr(%s, 0, 1)].x`, `tomap({ a = "x", b = "y" })[substr(%s, 0, 1)]`, `{ a = ["x"], b = ["y"] }[substr(%s, 0, 1)][*]`,
		`issensitive(%s) ? "a" : "b"`, `sha256(%s)`, `base64encode(%s)`, `one([%s])`, `sum([length(replace(%s, "a", ""))])`, `alltrue([startswith(%s, "a")])`,
		`anytrue([startswith(%s, "a")])`, `matchkeys(["x", "y"], ["aaaaaaaa", "bbbbbbbb"], [%s])[0]`, `transpose({ (%s) = ["x"] }).x[0]`,
		`issensitive(try({ aaaaaaaa = sensitive("x") }[%s], "y")) ? "a" : "b"`, `issensitive(lookup({ aaaaaaaa = sensitive("x") }, %s, "y")) ? "a" : "b"`,
		`fileexists(%s)`, `urlencode(%s)`, `basename(%s)`, `cidrsubnets("10.0.0.0/8", 8 + length(replace(%s, "a", "")))[0]`, `timeadd("2020-01-01T00:00:00Z", "${length(replace(%s, "a", ""))}h")`,
		`can([for c in ["x"] : regex("^a", %s)])`, `can({ a = 1 }[startswith(%s, "a") ? "a" : "b"])`,
	}
	places := []string{"address = %s", "role = %s", "connection { ssh = %s }", "engine { data_root = %s }", "for_each = %s", "engine { service = \"x${%s}\" }", "connection { local = %s }", "availability = %s", "labels = { a = %s }", "labels = { (%s) = \"x\" }"}
	for i, src := range sources {
		for j, one := range through {
			expr := fmt.Sprintf(one, src)
			for k, place := range places {
				if i > 0 && (i+j+k)%3 != 0 { // env() everywhere, the other sources in a third of the places
					continue
				}
				compare(t, fmt.Sprintf(place, expr))
			}
		}
	}
	for i, one := range through {
		for j := i % 4; j < len(through); j += 4 { // a quarter of all pairs, each way with many others
			two := through[j]
			compare(t, "engine { service = "+fmt.Sprintf(two, fmt.Sprintf(one, `env("S")`))+" }")
		}
	}
}

func compare(t *testing.T, line string) {
	t.Helper()
	a, aText := outcome(line, "aaaaaaaa")
	b, bText := outcome(line, "bbbbbbbb")
	if a != nil && b != nil {
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if string(x) != string(y) {
			t.Errorf("%s tells two secrets apart", line)
		}
	}
	if strings.Contains(strings.ReplaceAll(aText, line, ""), "aaaaaaaa") && !strings.Contains(line, "aaaaaaaa") || strings.Contains(bText, "bbbbbbbb") && !strings.Contains(line, "bbbbbbbb") {
		t.Errorf("%s: a secret is told:\n%s\n%s", line, aText, bText)
	}
}

// outcome decodes one node with the line in it, without the file system.
func outcome(line, secret string) (*Config, string) {
	node := "node \"n\" {\n  " + line + "\n"
	for name, value := range map[string]string{"address": `"10.0.0.9"`, "role": `"worker"`} {
		if !strings.HasPrefix(line, name) {
			node += "  " + name + " = " + value + "\n"
		}
	}
	src := least + node + "}\n" + `
variable "s" {
  sensitive = true
}
variable "plain" {}
locals {
  s = env("S")
  o = { k = env("S"), other = "x" }
}
`
	l := newLoader(Options{Environ: []string{"S=" + secret, "RQ_VAR_s=" + secret}})
	l.environ["RQ_VAR_plain"] = "p"
	l.src["main.rq.hcl"] = []byte(src)
	l.configs = []parsedFile{{"main.rq.hcl", l.parse("main.rq.hcl", []byte(src))}}
	l.decode()
	ds := l.finish()
	if ds.HasErrors() {
		return nil, render(ds)
	}
	return l.cfg, render(ds)
}
