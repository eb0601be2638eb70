//go:build lab

package scenario

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/requeen/requeen/internal/forgetest"
)

// These stories have the example's workflow plan and apply on a real swarm by its own
// commands; the forge is internal/forgetest's.

// reviewed is a git repository with the swarm's configuration, its workflow, a runner
// and a forge.
type reviewed struct {
	*forgetest.Runner
	s *swarm
	w *forgetest.Workflow
}

func (s *swarm) underReview() *reviewed {
	s.t.Helper()
	w, err := forgetest.ReadWorkflow("../../../examples/github-actions/.github/workflows/requeen.yml")
	must(s.t, err)
	dir := s.t.TempDir()
	r := &reviewed{s: s, w: w, Runner: &forgetest.Runner{Forge: filepath.Join(dir, "forge"), Workspace: s.dir,
		Temp: filepath.Join(dir, "temp"), Skip: []string{"Way to the hosts", "Close the way to the hosts", "Install requeen"}}}
	must(s.t, forgetest.NewForge(r.Forge))
	r.Values = map[string]string{"github.repository": "team/swarm", "github.token": "token", "github.run_id": "71",
		"github.event.pull_request.number": "5", "runner.temp": r.Temp, "github.ref_name": "main"}
	bin := filepath.Join(dir, "bin")
	for _, d := range []string{bin, filepath.Join(r.Temp, "ssh")} {
		must(s.t, os.MkdirAll(d, 0o700))
	}
	self, err := os.Executable()
	must(s.t, err)
	for _, name := range forgetest.Programs {
		must(s.t, os.Symlink(self, filepath.Join(bin, name)))
	}
	must(s.t, os.Symlink(program, filepath.Join(bin, "requeen")))
	way, err := os.ReadFile(s.lab.SSHConfig())
	must(s.t, err)
	must(s.t, os.WriteFile(filepath.Join(r.Temp, "ssh", "config"), way, 0o600))
	r.Env = append(slices.Clone(s.env), "PATH="+bin+":"+os.Getenv("PATH"))
	must(s.t, os.WriteFile(filepath.Join(s.dir, ".gitignore"), []byte("*\n!*.rq.hcl\n"), 0o600))
	r.git("init", "-q", "-b", "main")
	r.commit("The swarm as it is")
	return r
}

func (r *reviewed) git(args ...string) string {
	r.s.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=Someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir = r.Workspace
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.s.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r *reviewed) commit(message string) string {
	r.s.t.Helper()
	r.git("add", "-A")
	r.git("commit", "-q", "-m", message)
	return r.git("rev-parse", "HEAD")
}

// runs runs a job, and shows what it wrote.
func (r *reviewed) runs(job string) error {
	r.s.t.Helper()
	r.Output.Reset()
	err := r.Run(r.w, job)
	r.s.t.Logf("job %s: %v\n%s", job, err, r.Output.String())
	return err
}

// planned runs the jobs of a pull request, and gives the digest that the comment asks for.
func (r *reviewed) planned() string {
	r.s.t.Helper()
	must(r.s.t, r.runs("plan"))
	must(r.s.t, r.runs("comment"))
	files, err := filepath.Glob(filepath.Join(r.Forge, "comments", "*.md"))
	must(r.s.t, err)
	text, err := os.ReadFile(files[len(files)-1])
	must(r.s.t, err)
	r.s.t.Logf("the comment:\n%s", text)
	found := regexp.MustCompile("(?m)^Requeen-Digest: (sha256:[0-9a-f]{64})$").FindSubmatch(text)
	if found == nil {
		r.s.t.Fatal("the comment asks for no digest")
	}
	return string(found[1])
}

// approves merges a branch, which somebody else has approved with a digest.
func (r *reviewed) approves(branch, digest string) {
	r.s.t.Helper()
	head := r.git("rev-parse", branch)
	r.git("switch", "-q", "main")
	r.git("merge", "-q", "--no-ff", "-m", "Merge pull request 5", branch)
	sha := r.git("rev-parse", "HEAD")
	r.Values["github.sha"] = sha
	for path, answer := range map[string]any{
		"commits/" + sha + "/pulls": []any{map[string]any{"number": 5, "merged_at": "2025-03-10T04:00:00Z", "merge_commit_sha": sha, "base": map[string]any{"ref": "main"}}},
		"pulls/5":                   map[string]any{"user": map[string]any{"login": "author"}, "head": map[string]any{"sha": head}},
		"pulls/5/reviews": []any{map[string]any{"user": map[string]any{"login": "reviewer"}, "state": "APPROVED", "commit_id": head,
			"body": "Requeen-Digest: " + digest}},
		"collaborators/reviewer/permission": map[string]any{"permission": "write"},
	} {
		text, err := json.Marshal(answer)
		must(r.s.t, err)
		must(r.s.t, r.Answer("repos/team/swarm/"+path, string(text)))
	}
}

// plan is the plan that the newest job made or fetched.
func (r *reviewed) plan() recoveryPlan {
	r.s.t.Helper()
	data, err := os.ReadFile(filepath.Join(r.Temp, "plan", "requeen.plan"))
	must(r.s.t, err)
	var p recoveryPlan
	must(r.s.t, json.Unmarshal(data, &p))
	return p
}

// refuses has apply refuse what was approved, with these words.
func (r *reviewed) refuses(what string, words ...string) {
	r.s.t.Helper()
	err := r.runs("apply")
	text := strings.Join(strings.Fields(r.Output.String()), " ")
	for _, w := range words {
		if err == nil || !strings.Contains(text, w) {
			r.s.t.Errorf("%s is not refused with %q: %v", what, w, err)
		}
	}
}

// pullRequest goes from an edited configuration to an empty plan; then what was
// approved no longer fits.
func (s *swarm) pullRequest() {
	r := s.underReview()
	r.git("switch", "-q", "-c", "younger")
	s.edit(`max_age    = "24h"`, `max_age    = "12h"`)
	r.commit("Younger backups")
	r.approves("younger", r.planned())
	must(s.t, r.runs("apply"))
	s.allBack()
	b := s.oneVerifiedBackup()
	s.nothingLeft()
	s.nothingToDo()
	must(s.t, r.runs("apply")) // a job that is run again: the plan was carried out
	if again := s.oneVerifiedBackup(); again.ID != b.ID {
		s.t.Errorf("the job that was run again made the backup %s", again.ID)
	}

	must(s.t, os.RemoveAll(s.backupFile(b.ID))) // another is due
	r.git("switch", "-q", "-c", "touched")
	s.append("\n# touched\n")
	r.commit("A word")
	digest := r.planned()
	node := r.plan().Steps[0].Node
	r.approves("touched", digest)
	s.append("\n# and again\n")
	r.refuses("a plan of another configuration", "RQ409")
	r.git("checkout", "-q", "--", ".")
	s.lead(node)
	r.refuses("a plan that stops the leader", "RQ403", node)
	s.nothingLeft()
}

// untrusted plans a stranger's configuration, which reaches for what it should not see.
func (s *swarm) untrusted() {
	const marked = "marked-secret"
	r := s.underReview()
	r.Env = append(r.Env, "CLOUD_KEY="+marked)
	r.Values["github.token"] = marked
	must(s.t, r.runs("observe"))
	must(s.t, r.Answer("run-list-main-schedule", `[{"databaseId": 71}]`))
	engines := s.engines()
	r.git("switch", "-q", "-c", "outside")
	s.edit(`max_age    = "24h"`, `max_age    = "12h"`)
	r.commit("From outside")
	must(s.t, os.Rename(filepath.Join(r.Temp, "ssh"), filepath.Join(r.Temp, "no-ssh"))) // its machine has none
	must(s.t, r.runs("plan-untrusted"))
	summary, err := os.ReadFile(filepath.Join(r.Temp, "summary.md"))
	must(s.t, err)
	if !strings.Contains(string(summary), "1 backup: stop m") {
		s.t.Errorf("the summary is not the plan:\n%s", summary)
	}
	s.edit(`"12h"`, `nonsensitive(env("CLOUD_KEY"))`)
	r.commit("What is there?")
	if err := r.runs("plan-untrusted"); err == nil || !strings.Contains(r.Output.String(), "CLOUD_KEY") || strings.Contains(r.Output.String(), marked) {
		s.t.Errorf("a stranger's configuration sees the environment: %v", err)
	}
	s.edit(`nonsensitive(env("CLOUD_KEY"))`, `"24h"`)
	s.untouched("an untrusted pull request", engines)
}

// appliedTwice restores by an approved plan, which then is refused: on a machine without
// its journal at once, and on any when the same loss has come again (safety rule 21).
func (s *swarm) appliedTwice() {
	s.does("apply", "-auto-approve")
	s.allBack()
	r := s.underReview()
	r.git("switch", "-q", "-c", "back")
	s.append("\n# back to the newest backup\n")
	r.commit("Back to the newest backup")
	s.loses(managerNames...)
	r.approves("back", r.planned())
	must(s.t, r.runs("apply"))
	s.allBack()
	first := r.plan().Recovery.ID
	r.elsewhere("a restore while its swarm answers", "RQ403")

	s.loses(managerNames...)
	engines := s.engines()
	r.refuses("a restore that was carried out", "RQ403", "carried out already")
	r.elsewhere("a restore that was carried out", "RQ403")
	s.untouched("a plan that was carried out", engines)
	p := s.recovers("restore", "") // a new plan, with an approval of its own
	if p.Recovery.ID == first {
		s.t.Errorf("the new recovery is the old one, %s", first)
	}
	s.allBack()
	s.nextPlanBacksUp()
}

// elsewhere is refuses on another machine, which has no journal.
func (r *reviewed) elsewhere(what string, words ...string) {
	r.s.t.Helper()
	env := r.Env
	defer func() { r.Env = env }()
	r.Env = append(slices.Clone(env), "XDG_STATE_HOME="+r.s.t.TempDir())
	r.refuses(what+", without its journal", words...)
}
