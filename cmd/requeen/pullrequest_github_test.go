package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// onGitHub is a scratch repository with a branch that wants younger backups, planned
// and posted; head is its commit.
func onGitHub(t *testing.T) (s *scratch, head, digest string) {
	s = newScratch(t, "github-actions")
	s.Values = map[string]string{"github.repository": "team/swarm", "github.token": "token", "github.run_id": "71",
		"github.event.pull_request.number": "5", "runner.temp": s.Temp, "github.ref_name": "main"}
	s.git("switch", "-q", "-c", "younger")
	s.edit(`"24h"`, `"12h"`)
	head = s.commit("Younger backups")
	w := readWorkflow(t)
	s.must(s.Run(w, "plan"))
	s.must(s.Run(w, "comment"))
	return s, head, s.posted()
}

// merges merges the branch, and has the forge tell of its reviews.
func (s *scratch) merges(head string, reviews ...string) {
	s.t.Helper()
	s.git("switch", "-q", "main")
	s.git("merge", "-q", "--no-ff", "-m", "Merge pull request 5", head)
	merged := s.git("rev-parse", "HEAD")
	s.Values["github.sha"] = merged
	s.must(s.Answer("repos/team/swarm/commits/"+merged+"/pulls", fmt.Sprintf(
		`[{"number": 4, "merged_at": null, "merge_commit_sha": %q, "base": {"ref": "main"}},
		  {"number": 5, "merged_at": "2025-03-10T04:00:00Z", "merge_commit_sha": %[1]q, "base": {"ref": "main"}}]`, merged)))
	s.must(s.Answer("repos/team/swarm/pulls/5", fmt.Sprintf(`{"user": {"login": "author"}, "head": {"sha": %q}}`, head)))
	s.must(s.Answer("repos/team/swarm/pulls/5/reviews", "["+strings.Join(reviews, ",")+"]"))
	for who, may := range map[string]string{"author": "write", "reviewer": "write", "owner": "admin", "reader": "read"} {
		s.must(s.Answer("repos/team/swarm/collaborators/"+who+"/permission", fmt.Sprintf(`{"permission": %q}`, may)))
	}
}

func review(who, state, commit, body string) string {
	return fmt.Sprintf(`{"user": {"login": %q}, "state": %q, "commit_id": %q, "body": %q}`, who, state, commit, body)
}

// TestPullRequestOnGitHub goes from a branch to apply by the commands of the workflow.
func TestPullRequestOnGitHub(t *testing.T) {
	t.Parallel()
	s, head, digest := onGitHub(t)
	s.merges(head, review("reader", "COMMENTED", head, "Requeen-Digest: sha256:"+strings.Repeat("0", 64)),
		review("reviewer", "APPROVED", head, "Good.\r\nRequeen-Digest: "+digest+"\r\n"),
		review("owner", "APPROVED", head, "Fine with me, too."))
	s.reachedHosts(s.Run(readWorkflow(t), "apply"))
	if !strings.Contains(s.Output.String(), "reviewer approved "+digest) {
		t.Errorf("the job does not say who approved:\n%s", s.Output.String())
	}
}

// TestApprovalOnGitHub has what looks like an approval and is none.
func TestApprovalOnGitHub(t *testing.T) {
	t.Parallel()
	s, head, digest := onGitHub(t)
	line := "Requeen-Digest: " + digest
	s.merges(head)
	for _, c := range []struct {
		what    string
		reviews []string
		words   string
	}{
		{"no review", nil, "no review approved their digest"},
		{"a review without the digest", []string{review("reviewer", "APPROVED", head, "LGTM")}, "no review approved their digest"},
		{"the author's own", []string{review("author", "APPROVED", head, line)}, "no review approved their digest"},
		{"one of an older commit", []string{review("reviewer", "APPROVED", strings.Repeat("a", 40), line)}, "no review approved their digest"},
		{"no approval", []string{review("reviewer", "COMMENTED", head, line)}, "no review approved their digest"},
		{"one that was taken back", []string{review("reviewer", "APPROVED", head, line), review("reviewer", "CHANGES_REQUESTED", head, "Wait.")}, "no review approved their digest"},
		{"one that was dismissed", []string{review("reviewer", "DISMISSED", head, line)}, "no review approved their digest"},
		{"one of who may only read", []string{review("reader", "APPROVED", head, line)}, "reader may not write"},
		{"a digest in a sentence", []string{review("reviewer", "APPROVED", head, "not "+line)}, "no review approved their digest"},
		{"two plans", []string{review("reviewer", "APPROVED", head, line), review("owner", "APPROVED", head, "Requeen-Digest: sha256:"+strings.Repeat("0", 64))}, "approvals of two plans"},
		{"a plan that is nowhere", []string{review("reviewer", "APPROVED", head, "Requeen-Digest: sha256:"+strings.Repeat("0", 64))}, "no artifact matches"},
	} {
		t.Run(c.what, func(t *testing.T) {
			s.t = t
			s.Output.Reset()
			s.must(s.Answer("repos/team/swarm/pulls/5/reviews", "["+strings.Join(c.reviews, ",")+"]"))
			s.refused(s.Run(readWorkflow(t), "apply"), c.words)
			if strings.Contains(s.Output.String(), "RQ403") {
				t.Errorf("apply looked at the hosts:\n%s", s.Output.String())
			}
		})
	}
}

// TestApprovedPlanOnGitHub has an approval, and something else beneath it.
func TestApprovedPlanOnGitHub(t *testing.T) {
	t.Parallel()
	s, head, digest := onGitHub(t)
	s.merges(head, review("reviewer", "APPROVED", head, "Requeen-Digest: "+digest))
	w := readWorkflow(t)
	stored := filepath.Join(s.Forge, "artifacts", "plan-"+strings.TrimPrefix(digest, "sha256:"), "requeen.plan")
	whole := s.read(stored)

	s.must(os.WriteFile(stored, []byte(strings.Replace(whole, "stop m2", "stop m1", 1)), 0o600))
	s.refused(s.Run(w, "apply"), "RQ404")

	// Another plan of the same configuration under the approved one's name, whose digest
	// fits its bytes.
	state := filepath.Join(s.dir, "state.json")
	s.must(os.WriteFile(state, []byte(strings.Replace(s.read(state), "03:00:00Z", "03:00:01Z", 1)), 0o600))
	s.must(s.Run(w, "plan"))
	s.must(os.WriteFile(stored, []byte(s.read(s.Temp, "plan", "requeen.plan")), 0o600))
	s.Output.Reset()
	s.refused(s.Run(w, "apply"), "RQ405", "The plan is not the one that was approved")

	// The approved one, and a configuration that changed since.
	s.must(os.WriteFile(stored, []byte(whole), 0o600))
	s.edit(`"12h"`, `"6h"`)
	s.Output.Reset()
	s.refused(s.Run(w, "apply"), "RQ409")

	s.git("checkout", "-q", "--", ".")
	s.Values["github.sha"] = strings.Repeat("b", 40)
	s.must(s.Answer("repos/team/swarm/commits/"+s.Values["github.sha"]+"/pulls", "[]"))
	s.Output.Reset()
	s.refused(s.Run(w, "apply"), "came through no pull request")
}

// TestUntrustedOnGitHub plans a fork's pull request: from the recorded observation, in
// an environment without anything, with nothing contacted.
func TestUntrustedOnGitHub(t *testing.T) {
	t.Parallel()
	s := newScratch(t, "github-actions")
	s.Values = map[string]string{"github.repository": "team/swarm", "github.token": marked, "runner.temp": s.Temp}
	s.Env = append(s.Env, "CLOUD_KEY="+marked)
	recorded := filepath.Join(s.Forge, "artifacts", "61", "observation")
	s.must(os.MkdirAll(recorded, 0o700))
	s.must(s.Answer("run-list-main-schedule", `[{"databaseId": 61}]`))
	s.must(os.Rename(filepath.Join(s.dir, "state.json"), filepath.Join(recorded, "state.json")))
	s.edit(`"24h"`, `"12h"`)
	s.commit("From outside")
	w := readWorkflow(t)
	s.must(s.Run(w, "plan-untrusted"))
	summary := filepath.Join(s.Temp, "summary.md")
	if text := s.read(summary); !strings.Contains(text, "1 backup: stop m2") {
		t.Errorf("the summary is not the plan:\n%s", text)
	}
	if entries, _ := os.ReadDir(filepath.Join(s.Forge, "artifacts")); len(entries) != 1 {
		t.Errorf("the job stored something: %v", entries)
	}
	s.sawNothing(summary)

	s.snoops(func() error { return s.Run(w, "plan-untrusted") }, "CLOUD_KEY", "GH_TOKEN")
	s.sawNothing(summary)
}
