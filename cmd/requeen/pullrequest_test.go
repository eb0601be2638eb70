package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/forgetest"
)

// scratch is a git repository made of an example, with a runner and a forge of its
// own. Its hosts can't be reached: a plan of what is there is made from the example's
// state, and apply comes as far as the hosts.
type scratch struct {
	t *testing.T
	*forgetest.Runner
	dir string
}

func newScratch(t *testing.T, example string) *scratch {
	t.Helper()
	dir := t.TempDir()
	s := &scratch{t: t, dir: dir, Runner: &forgetest.Runner{
		Forge: filepath.Join(dir, "forge"), Workspace: filepath.Join(dir, "checkout"), Temp: filepath.Join(dir, "temp"),
		Values: map[string]string{}, Skip: []string{"Way to the hosts", "Close the way to the hosts", "Install requeen"},
	}}
	s.must(forgetest.NewForge(s.Forge))
	for _, name := range []string{"temp", "bin", "home"} {
		s.must(os.Mkdir(filepath.Join(dir, name), 0o700))
	}
	s.must(os.CopyFS(s.Workspace, os.DirFS(filepath.Join("../../examples", example))))
	for _, file := range []string{"plan.json", "plan.txt"} {
		s.must(os.Remove(filepath.Join(s.Workspace, file)))
	}
	s.must(os.Rename(filepath.Join(s.Workspace, "state.json"), filepath.Join(dir, "state.json")))
	s.nearby()
	s.world()
	s.Env = []string{"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "HOME=" + filepath.Join(dir, "home")}
	s.git("init", "-q", "-b", "main")
	s.commit("The swarm as it is")
	return s
}

// nearby has the configuration and the state name hosts that refuse at once.
func (s *scratch) nearby() {
	s.t.Helper()
	s.edit(`  role     = "manager"`, "  role     = \"manager\"\n\n  connection {\n    ssh = \"root@127.0.0.${substr(each.key, 1, 1)}:1\"\n  }")
	s.edit("/mnt/nas/swarm-backups", filepath.Join(s.dir, "repository"))
	file := filepath.Join(s.dir, "state.json")
	text := s.read(file)
	for _, n := range []string{"1", "2", "3"} {
		text = strings.ReplaceAll(text, "root@10.0.0.1"+n, "root@127.0.0."+n+":1")
	}
	s.must(os.WriteFile(file, []byte(strings.ReplaceAll(text, "/mnt/nas/swarm-backups", filepath.Join(s.dir, "repository"))), 0o600))
}

// world puts a requeen before the real one, which looks into the file of the state
// where it would look at hosts to plan, and may open no socket where it is told to
// contact nothing.
func (s *scratch) world() {
	s.t.Helper()
	text := fmt.Sprintf(`#!/bin/sh
PATH=%s:$PATH
case "$1 $2" in
"plan "*) shift; exec requeen.real plan -state %s "$@" ;;
-chdir=*) exec requeen-sealed "$@" ;;
esac
exec requeen.real "$@"
`, filepath.Join(s.dir, "bin"), filepath.Join(s.dir, "state.json"))
	s.must(os.WriteFile(filepath.Join(s.dir, "bin", "requeen"), []byte(text), 0o700))
	real, err := exec.LookPath("requeen")
	s.must(err)
	s.must(os.WriteFile(filepath.Join(s.dir, "bin", "requeen.real"), []byte("#!/bin/sh\nexec "+real+" \"$@\"\n"), 0o700))
}

func (s *scratch) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scratch) read(elem ...string) string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	s.must(err)
	return string(data)
}

func (s *scratch) edit(old, new string) {
	s.t.Helper()
	file := filepath.Join(s.Workspace, "prod.rq.hcl")
	text := s.read(file)
	if !strings.Contains(text, old) {
		s.t.Fatalf("the configuration has no %q:\n%s", old, text)
	}
	s.must(os.WriteFile(file, []byte(strings.Replace(text, old, new, 1)), 0o600))
}

func (s *scratch) git(args ...string) string {
	s.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=Someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir = s.Workspace
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit commits everything, and gives the commit's ID.
func (s *scratch) commit(message string) string {
	s.t.Helper()
	s.git("add", "-A")
	s.git("commit", "-q", "-m", message)
	return s.git("rev-parse", "HEAD")
}

// posted is the digest that the newest comment asks for.
func (s *scratch) posted() string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.Forge, "comments", "*.md"))
	s.must(err)
	if len(files) == 0 {
		s.t.Fatalf("nothing was posted:\n%s", s.Output.String())
	}
	text := s.read(files[len(files)-1])
	found := regexp.MustCompile("(?m)^Requeen-Digest: (sha256:[0-9a-f]{64})$").FindStringSubmatch(text)
	if found == nil || !strings.Contains(text, "1 backup: stop m2") || !strings.Contains(strings.Replace(text, found[0], "", 1), found[1]) {
		s.t.Fatalf("the comment is not the plan with its digest:\n%s", text)
	}
	return found[1]
}

// refused says that a job failed with these words, and that apply came nowhere.
func (s *scratch) refused(err error, words ...string) {
	s.t.Helper()
	if err == nil {
		s.t.Fatalf("nothing was refused:\n%s", s.Output.String())
	}
	text := strings.Join(strings.Fields(s.Output.String()), " ")
	for _, w := range words {
		if !strings.Contains(text, w) {
			s.t.Errorf("the job does not say %q:\n%s", w, s.Output.String())
		}
	}
}

// reachedHosts says that apply took the plan with its digest and the configuration, and
// went on to look at the hosts, which these are not.
func (s *scratch) reachedHosts(err error) {
	s.t.Helper()
	s.refused(err, "RQ403", "No manager answers for the swarm any more")
}

// marked is what an untrusted job must not show.
const marked = "marked-secret"

// snoops has the configuration show the environment and what git keeps, as a stranger's
// could, and a job evaluate it.
func (s *scratch) snoops(job func() error, names ...string) {
	s.t.Helper()
	age := `"12h"`
	for _, name := range names {
		next := fmt.Sprintf("nonsensitive(env(%q))", name)
		s.edit(age, next)
		s.commit("What is in " + name + "?")
		s.refused(job(), "environment variables that are not set: "+name)
		age = next
	}
	s.edit(age, `nonsensitive(fileexists(".git/config")) ? "there is a .git" : "12h"`)
	s.commit("And in .git?")
	s.must(job())
}

// sawNothing says that nothing of a job shows a secret.
func (s *scratch) sawNothing(files ...string) {
	s.t.Helper()
	text := s.Output.String()
	for _, f := range files {
		text += s.read(f)
	}
	for _, secret := range []string{marked, "there is a .git"} {
		if strings.Contains(text, secret) {
			s.t.Errorf("an untrusted pull request shows %q:\n%s", secret, text)
		}
	}
}
