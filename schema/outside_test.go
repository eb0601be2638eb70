package schema

import (
	"reflect"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestOutside: what a run on another machine needs is named, and what only a restore
// needs is not.
func TestOutside(t *testing.T) {
	dir := writeFiles(t,
		txtar.File{Name: "a.rq.hcl", Data: []byte(`variable "dc" { default = "ams" }
variable "unused" { default = "x" }
locals { note = file("more/note") }

cluster "prod" {
  unlock_key = trimspace(file("key"))
}

node "m1" {
  address = "10.0.0.1"
  role    = "manager"
  connection { ssh = "root@m1.${var.dc}.example.com" }
}

repository "r" {
  url        = "file:///r"
  identity   = env("IDENTITY")
  recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]
  verify_key = ["ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
  sign_key   = env("SIGN_KEY")
}
`)},
		txtar.File{Name: "more/note", Data: []byte("n")}, txtar.File{Name: "key", Data: []byte("SWMKEY-1-abc\n")}, txtar.File{Name: "unread", Data: []byte("u")})
	cfg, ds := Load(dir, Options{Environ: []string{"RQ_VAR_dc=fra", "IDENTITY=/root/id", "OTHER=o"}})
	if cfg == nil {
		t.Fatal(ds)
	}
	want := Outside{Environment: []string{"RQ_VAR_dc", "SIGN_KEY"}, Files: []string{"more/note"}, Unneeded: []string{"key"}}
	if !reflect.DeepEqual(cfg.Outside, want) {
		t.Errorf("outside are %+v, want %+v", cfg.Outside, want)
	}
}
