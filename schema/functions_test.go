package schema

import (
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// What is not cty's own; "" is an error.
func TestFunctions(t *testing.T) {
	l := newLoader(Options{Environ: []string{"S=secret"}})
	l.dir = t.TempDir()
	ctx := &hcl.EvalContext{Functions: l.functions}
	for in, want := range map[string]string{
		`alltrue([true, true])`:                      `true`,
		`alltrue([])`:                                `true`,
		`alltrue([true, null])`:                      `false`,
		`alltrue([true, false])`:                     `false`,
		`anytrue([false, true])`:                     `true`,
		`anytrue([])`:                                `false`,
		`anytrue([null])`:                            `false`,
		`anytrue(["x"])`:                             ``,
		`base64encode("Zürich")`:                     `"WsO8cmljaA=="`,
		`base64decode("WsO8cmljaA==")`:               `"Zürich"`,
		`base64decode("/w==")`:                       ``,
		`basename("/srv/a.txt")`:                     `"a.txt"`,
		`dirname("/srv/a.txt")`:                      `"/srv"`,
		`sha256("a")`:                                `"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"`,
		`urlencode("a b/c")`:                         `"a+b%2Fc"`,
		`sum([1, 2.5, 3])`:                           `6.5`,
		`sum([1, null])`:                             ``,
		`sum([1/0])`:                                 ``,
		`one(["a"])`:                                 `"a"`,
		`one([])`:                                    `null`,
		`one(toset(["a"]))`:                          `"a"`,
		`one(toset(["a", "b"]))`:                     ``,
		`one(tolist([]))`:                            `null`,
		`one("a")`:                                   ``,
		`matchkeys(["a", "b", "c"], [1, 2, 1], [1])`: `["a","c"]`,
		`matchkeys(["a"], [1], [2])`:                 `[]`,
		`transpose({ a = ["x", "y"], b = ["y"] })`:   `{"x":["a"],"y":["a","b"]}`,
		`transpose({})`:                              `{}`,
		`transpose({ a = null })`:                    ``,
		`transpose({ a = [null] })`:                  ``,
		`cidrsubnets("10.1.0.0/16", 4, 4, 8, 4)`:     `["10.1.0.0/20","10.1.16.0/20","10.1.32.0/24","10.1.48.0/20"]`,
		`cidrsubnets("10.1.0.0/16")`:                 `[]`,
		`cidrsubnets("10.1.0.0/16", 1, 1)`:           `["10.1.0.0/17","10.1.128.0/17"]`,
		`cidrsubnets("10.1.0.0/16", 1, 1, 1)`:        ``,
		`cidrsubnets("10.1.0.0/16", 0)`:              ``,
		`cidrsubnets("10.1.0.0/16", 17)`:             ``,
		`cidrsubnets("fd00::/48", 16, 16)`:           `["fd00::/64","fd00:0:0:1::/64"]`,
		`issensitive("a")`:                           `false`,
		`issensitive(env("S"))`:                      `true`,
		`issensitive([env("S")])`:                    `true`,
		`issensitive(nonsensitive(env("S")))`:        `false`,
		`nonsensitive(fileexists("none"))`:           `false`,
		`issensitive(fileexists("none"))`:            `true`,
		`fileexists("/etc/passwd")`:                  ``,
		`fileexists("../x")`:                         ``,
		`fileexists(".")`:                            ``,
		`formatdate("YYYY-MM-DD", timeadd("2024-02-28T23:00:00Z", "25h"))`: `"2024-03-01"`,
	} {
		expr, ds := hclsyntax.ParseExpression([]byte("jsonencode("+in+")"), "", hcl.InitialPos)
		if ds.HasErrors() {
			t.Fatal(ds)
		}
		got, ds := expr.Value(ctx)
		if ds.HasErrors() != (want == "") || want != "" && got.AsString() != want {
			t.Errorf("%s = %#v, %v; want %s", in, got, ds, want)
		}
	}
}
