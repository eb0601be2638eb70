package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBashCompletes presses the key in a real bash: the script is sourced, the
// words are set as bash splits them, and the function is called.
func TestBashCompletes(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal("this test needs bash, which every Debian has")
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// This program is requeen where it is called so: see TestMain.
	if err := os.Symlink(self, filepath.Join(dir, "requeen")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		words string // as bash splits them, by blanks; the last is being typed
		want  string
	}{
		{"requeen pl", "plan"},
		{"requeen plan -ou", "-out"},
		{"requeen plan --det", "--detailed-exitcode"},
		{"requeen backup s", "show"},
		{"requeen lab up -suite ''", "bookworm trixie sid"},
		{"requeen lab up -suite = b", "bookworm"},
		{"requeen -chdir = clusters/prod backup verify l", "latest"},
		{"requeen init -become ''", "sudo"},
		{"requeen apply -digest sha256 : ''", ""},
		{"requeen apply -digest sha256 : abc -appr", "-approve"},
	} {
		script := `source <(requeen completion bash)
			COMP_WORDS=(` + c.words + `)
			COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
			COMP_LINE="${COMP_WORDS[*]}" COMP_POINT=${#COMP_LINE} COMP_TYPE=9
			compopt() { :; }
			__start_requeen
			for answer in "${COMPREPLY[@]}"; do echo "${answer%% *}"; done`
		cmd := exec.Command(bash, "--norc", "-c", script)
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if have := strings.Join(strings.Fields(string(out)), " "); err != nil || have != c.want {
			t.Errorf("%s<TAB> offers %q, want %q (%v)", c.words, have, c.want, err)
		}
	}
}
