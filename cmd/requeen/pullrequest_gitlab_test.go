package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// onGitLab is a scratch project with a branch that wants younger backups, planned and
// posted; head is its commit.
func onGitLab(t *testing.T) (s *scratch, head, digest string) {
	s = newScratch(t, "gitlab")
	s.Values = map[string]string{"CI_PROJECT_ID": "7", "CI_MERGE_REQUEST_IID": "5", "CI_DEFAULT_BRANCH": "main", "GITLAB_TOKEN": "token"}
	s.git("switch", "-q", "-c", "younger")
	s.edit(`"24h"`, `"12h"`)
	s.git("add", "-A")
	head = s.commit("Younger backups")
	p := readPipeline(t)
	s.must(s.RunPipeline(p, "plan", "41"))
	s.must(s.RunPipeline(p, "comment", "42"))
	return s, head, s.posted()
}

// merged merges the branch, and has the forge tell of it.
func (s *scratch) merged(head string, notes ...string) {
	s.t.Helper()
	s.must(os.RemoveAll(filepath.Join(s.Workspace, "plan")))
	s.must(os.Remove(filepath.Join(s.Workspace, "comment.md")))
	s.must(os.Remove(filepath.Join(s.Workspace, "posted.json")))
	s.git("switch", "-q", "main")
	s.git("merge", "-q", "--no-ff", "-m", "Merge branch 'younger'", head)
	sha := s.git("rev-parse", "HEAD")
	s.Values["CI_COMMIT_SHA"] = sha
	for path, json := range map[string]string{
		"repository/commits/" + sha + "/merge_requests": fmt.Sprintf(`[{"iid": 4, "state": "opened", "target_branch": "main", "sha": %q},
			{"iid": 5, "state": "merged", "target_branch": "main", "sha": %q, "merge_commit_sha": %[1]q, "squash_commit_sha": null}]`, sha, head),
		"merge_requests/5":           `{"author": {"id": 1}}`,
		"merge_requests/5/approvals": `{"approved_by": [{"user": {"id": 1}}, {"user": {"id": 2}}, {"user": {"id": 3}}]}`,
		"merge_requests/5/pipelines": `[{"id": 31}]`,
		"pipelines/31/jobs":          `[{"name": "comment", "id": 42}, {"name": "plan", "id": 41}]`,
		"members/all/2":              `{"access_level": 40}`,
		"members/all/3":              `{"access_level": 30}`,
		"members/all/4":              `{"access_level": 50}`,
		"merge_requests/5/notes":     "[" + strings.Join(notes, ",") + "]",
	} {
		s.must(s.Answer("projects/7/"+path, json))
	}
}

func note(who int, body string) string {
	return fmt.Sprintf(`{"author": {"id": %d}, "system": false, "body": %q}`, who, body)
}

// TestMergeRequestOnGitLab goes from a branch to apply by the commands of the pipeline.
func TestMergeRequestOnGitLab(t *testing.T) {
	t.Parallel()
	s, head, digest := onGitLab(t)
	line := "Requeen-Digest: " + digest
	s.merged(head, note(2, "Requeen-Digest: sha256:"+strings.Repeat("0", 64)), note(2, "Again:\n\n"+line), note(4, "Thank you"))
	p := readPipeline(t)
	s.reachedHosts(s.RunPipeline(p, "apply", "43"))
	if !strings.Contains(s.Output.String(), "User 2 approved "+digest) {
		t.Errorf("the job does not say who approved:\n%s", s.Output.String())
	}
	none := "no comment approved their digest"
	for _, c := range []struct{ what, note, words string }{
		{"no digest", note(2, "LGTM"), none},
		{"the author's own", note(1, line), none},
		{"one who did not approve", note(4, line), none},
		{"no maintainer", note(3, line), "User 3 is no maintainer"},
		{"the forge's own note", fmt.Sprintf(`{"author": {"id": 2}, "system": true, "body": %q}`, line), none},
		{"a digest in a sentence", note(2, "not "+line), none},
		{"a plan that is nowhere", note(2, "Requeen-Digest: sha256:"+strings.Repeat("0", 64)), "is in no pipeline of merge request 5"},
	} {
		t.Run(c.what, func(t *testing.T) {
			s.t = t
			s.Output.Reset()
			s.must(s.Answer("projects/7/merge_requests/5/notes", "["+c.note+"]"))
			s.refused(s.RunPipeline(p, "apply", "43"), c.words)
			if strings.Contains(s.Output.String(), "RQ403") {
				t.Errorf("apply looked at the hosts:\n%s", s.Output.String())
			}
		})
	}
	s.t = t
	s.must(s.Answer("projects/7/merge_requests/5/notes", "["+note(2, line)+"]"))
	stored := filepath.Join(s.Forge, "artifacts", "41", "plan", "requeen.plan")
	whole := s.read(stored)
	s.must(os.WriteFile(stored, []byte(strings.Replace(whole, "stop m2", "stop m1", 1)), 0o600))
	s.Output.Reset()
	s.refused(s.RunPipeline(p, "apply", "43"), "RQ404")
	s.must(os.WriteFile(stored, []byte(whole), 0o600))
	s.edit(`"12h"`, `"6h"`)
	s.Output.Reset()
	s.refused(s.RunPipeline(p, "apply", "43"), "RQ409")
}

// TestUntrustedOnGitLab plans a fork's merge request, as TestUntrustedOnGitHub does.
func TestUntrustedOnGitLab(t *testing.T) {
	t.Parallel()
	s := newScratch(t, "gitlab")
	s.Values = map[string]string{"CI_JOB_TOKEN": marked, "CI_API_V4_URL": "https://forge.example.com/api/v4",
		"CI_MERGE_REQUEST_PROJECT_ID": "7", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
	recorded := filepath.Join(s.Forge, "artifacts", "main", "observe", "observation")
	s.must(os.MkdirAll(recorded, 0o700))
	s.must(os.Rename(filepath.Join(s.dir, "state.json"), filepath.Join(recorded, "state.json")))
	s.edit(`"24h"`, `"12h"`)
	s.commit("From outside")
	p := readPipeline(t)
	s.must(s.RunPipeline(p, "plan-untrusted", "51"))
	shown := filepath.Join(s.Forge, "artifacts", "51", "untrusted.md")
	if text := s.read(shown); !strings.Contains(text, "1 backup: stop m2") {
		t.Errorf("what is shown is not the plan:\n%s", text)
	}
	s.sawNothing(shown)
	s.snoops(func() error { return s.RunPipeline(p, "plan-untrusted", "51") }, "CI_JOB_TOKEN")
	s.sawNothing(shown)
}
