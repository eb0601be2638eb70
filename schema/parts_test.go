package schema

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"pgregory.net/rapid"
)

func TestParseTarget(t *testing.T) {
	for in, want := range map[string]Target{
		"m1":                            {"", "m1", 0},
		"m1.example.com":                {"", "m1.example.com", 0},
		"root@10.0.0.11":                {"root", "10.0.0.11", 0},
		"ops@m1:2222":                   {"ops", "m1", 2222},
		"ssh://ops@m1:2222":             {"ops", "m1", 2222},
		"ssh://m1/":                     {"", "m1", 0},
		"[2001:db8::1]:22":              {"", "2001:db8::1", 22},
		"root@[2001:db8::1]":            {"root", "2001:db8::1", 0},
		"root@2001:db8::1":              {"root", "2001:db8::1", 0},
		"ssh://root@[fe80::1%eth0]:1":   {"root", "fe80::1%eth0", 1},
		"user@corp.example@host":        {"", "", -1},
		"first.last_x+y@host-1_alias":   {"first.last_x+y", "host-1_alias", 0},
		"DOMAIN\\ops@host":              {"DOMAIN\\ops", "host", 0},
		"":                              {"", "", -1},
		"-":                             {"", "", -1},
		"-v":                            {"", "", -1},
		"host:":                         {"", "", -1},
		"host:+22":                      {"", "", -1},
		"host:-1":                       {"", "", -1},
		"host,other":                    {"", "", -1},
		"host\u00a0x":                   {"", "", -1},
		"host\u200bx":                   {"", "", -1},
		"ssh://":                        {"", "", -1},
		"ssh://-oProxyCommand=x":        {"", "", -1},
		"ssh://ops@-oProxyCommand=x:22": {"", "", -1},
		"ssh://a%2db@host":              {"", "", -1},
		strings.Repeat("x", 254):        {"", "", -1},
	} {
		got, err := ParseTarget(in)
		if (err != nil) != (want.Port == -1) || err == nil && got != want {
			t.Errorf("%q: %+v, %v; want %+v", in, got, err, want)
		}
	}
}

func TestTargetIsNeverAnOption(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`(ssh://)?[-a-z@:\[\]%. /]{0,20}`)).Draw(t, "s")
		got, err := ParseTarget(s)
		if err != nil {
			return
		}
		for _, part := range []string{got.User, got.Host, got.String()} {
			if strings.HasPrefix(part, "-") || strings.ContainsAny(part, " \t\n\"'`$;&|<>()") {
				t.Fatalf("%q gives %q", s, part)
			}
		}
		if again, err := ParseTarget(got.String()); err != nil || again != got {
			t.Fatalf("%q gives %+v, which gives %+v, %v", s, got, again, err)
		}
	})
}

func TestParseDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"90m": 90 * time.Minute, "1d": 24 * time.Hour, "1w": 168 * time.Hour, "1w2d3h4m5s": (168+48+3)*time.Hour + 4*time.Minute + 5*time.Second,
		"1.5d": 36 * time.Hour, "0.5w": 84 * time.Hour, "100ms": 100 * time.Millisecond, "0s": 0,
		"": -1, "d": -1, "1": -1, "1 h": -1, "-1h": -1, "+1h": -1, "1y": -1, "1d1": -1, "15251w": -1, "106752d": -1, ".d": -1, "106751d23h47m16s106751d": -1,
	} {
		got, err := ParseDuration(in)
		if (err != nil) != (want == -1) || err == nil && got != want {
			t.Errorf("%q: %s, %v; want %s", in, got, err, want)
		}
	}
}

func TestParseDurationIsNeverNegative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`([0-9.]{1,12}(ns|us|µs|ms|s|m|h|d|w)){1,4}`)).Draw(t, "s")
		if d, err := ParseDuration(s); err == nil && d < 0 {
			t.Fatalf("%q is %s", s, d)
		}
	})
}

func TestCIDRFunctions(t *testing.T) {
	l := &loader{environ: map[string]string{}, shown: map[string]bool{}, revealed: map[string]bool{}}
	ctx := &hcl.EvalContext{Functions: l.newFunctions()}
	for in, want := range map[string]string{
		`cidrhost("10.0.0.0/24", 0)`:               "10.0.0.0",
		`cidrhost("10.0.0.77/24", 255)`:            "10.0.0.255",
		`cidrhost("10.0.0.0/24", -1)`:              "10.0.0.255",
		`cidrhost("10.0.0.0/24", -256)`:            "10.0.0.0",
		`cidrhost("10.0.0.0/24", -257)`:            "",
		`cidrhost("10.0.0.0/32", 0)`:               "10.0.0.0",
		`cidrhost("10.0.0.0/32", 1)`:               "",
		`cidrhost("255.255.255.255/0", 16)`:        "0.0.0.16",
		`cidrhost("fd00:fd12:3456:7890::/56", 34)`: "fd00:fd12:3456:7800::22",
		`cidrhost("::/0", -1)`:                     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		`cidrhost("10.0.0.0/24", 1.5)`:             "",
		`cidrhost("10.0.0.0", 1)`:                  "",
		`cidrhost("10.0.0.0/8", 1e999999999)`:      "",
		`cidrhost("10.0.0.0/8", 1/0)`:              "",
		`cidrsubnet("10.0.0.0/8", 1e9, 1)`:         "",
		`cidrsubnet("10.0.0.0/8", 8, 1e999999999)`: "",
		`cidrsubnet("10.0.0.0/8", 8, 2)`:           "10.2.0.0/16",
		`cidrsubnet("172.16.0.0/12", 4, 2)`:        "172.18.0.0/16",
		`cidrsubnet("10.1.2.0/24", 0, 0)`:          "10.1.2.0/24",
		`cidrsubnet("10.1.2.0/24", 8, 255)`:        "10.1.2.255/32",
		`cidrsubnet("10.1.2.0/24", 4, 16)`:         "",
		`cidrsubnet("10.1.2.0/24", 9, 0)`:          "",
		`cidrsubnet("10.1.2.0/24", 4, -1)`:         "",
		`cidrsubnet("2001:db8::/32", 96, 7)`:       "2001:db8::7/128",
		`cidrnetmask("172.16.0.0/12")`:             "255.240.0.0",
		`cidrnetmask("0.0.0.0/0")`:                 "0.0.0.0",
		`cidrnetmask("1.2.3.4/32")`:                "255.255.255.255",
		`cidrnetmask("::/0")`:                      "",
	} {
		expr, ds := hclsyntax.ParseExpression([]byte(in), "", hcl.InitialPos)
		if ds.HasErrors() {
			t.Fatal(ds)
		}
		got, ds := expr.Value(ctx)
		if ds.HasErrors() != (want == "") || want != "" && got.AsString() != want {
			t.Errorf("%s = %#v, %v; want %q", in, got, ds, want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"address", "role", "for_each", "connection", "engine"}
	for in, want := range map[string]string{
		"adress": "address", "Address": "address", "addresses": "address", "conection": "connection", "connections": "connection",
		"foreach": "for_each", "x": "", "": "", "labels": "", "rloe": "role",
	} {
		if got := nearest(in, known); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestRecipients(t *testing.T) {
	good := "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
	if err := recipientError(good); err != nil {
		t.Error(err)
	}
	// The checksum finds every single mistyped character.
	for i := len("age1"); i < len(good); i++ {
		for _, r := range bech32Charset {
			if byte(r) == good[i] {
				continue
			}
			if bad := good[:i] + string(r) + good[i+1:]; recipientError(bad) == nil {
				t.Errorf("%s passes", bad)
			}
		}
	}
}

func TestListenAddress(t *testing.T) {
	for in, want := range map[string]string{
		"0.0.0.0": "0.0.0.0:2377", "0.0.0.0:2378": "0.0.0.0:2378", "eth0": "eth0:2377", "eth0:1": "eth0:1", "eth0.100:2377": "eth0.100:2377",
		"::": "[::]:2377", "[::]": "[::]:2377", "[::]:2400": "[::]:2400", "::ffff:10.0.0.1": "10.0.0.1:2377", "2001:0db8::1": "[2001:db8::1]:2377",
		"10.0.0.1:02377": "10.0.0.1:2377",
		"":               "", ":2377": "", "eth0:": "", "eth0:0": "", "eth0:65536": "", "eth0:+1": "", "fe80::1%eth0": "", "224.0.0.1": "", "m1.local": "",
		"a-very-long-interface": "", "10.0.0.0/8": "", "eth0:1:2": "", "-x": "",
	} {
		got, err := listenAddress(in)
		if (err != nil) != (want == "") || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	for in, want := range map[time.Duration]string{
		0: "0s", 120 * time.Second: "2m", 24 * time.Hour: "24h", 48 * time.Hour: "2d", 36 * time.Hour: "36h", 1500 * time.Millisecond: "1.5s", 90 * time.Second: "90s",
	} {
		if got := FormatDuration(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Min(0).Draw(t, "d"))
		if got, err := ParseDuration(FormatDuration(d)); err != nil || got != d {
			t.Fatalf("%s: %s, %v", d, got, err)
		}
	})
}
