package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/requeen/requeen/internal/forgetest"
)

const (
	workflowFile = "../../examples/github-actions/.github/workflows/requeen.yml"
	pipelineFile = "../../examples/gitlab/.gitlab-ci.yml"
)

func readWorkflow(t *testing.T) *forgetest.Workflow {
	t.Helper()
	w, err := forgetest.ReadWorkflow(workflowFile)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func readPipeline(t *testing.T) forgetest.Pipeline {
	t.Helper()
	p, err := forgetest.ReadPipeline(pipelineFile)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPipelinesTrust tells which jobs there are for what happened: a pull request from
// outside gets the one that holds nothing (safety rule 22).
func TestPipelinesTrust(t *testing.T) {
	const head = "github.event.pull_request.head.repo.full_name"
	for _, c := range []struct {
		what   string
		values map[string]string
		want   []string
	}{
		{"a branch", map[string]string{"github.event_name": "pull_request", head: "team/swarm", "github.repository": "team/swarm"}, []string{"plan"}},
		{"a fork", map[string]string{"github.event_name": "pull_request", head: "else/swarm", "github.repository": "team/swarm"}, []string{"plan-untrusted"}},
		{"a deleted fork", map[string]string{"github.event_name": "pull_request", "github.repository": "team/swarm"}, []string{"plan-untrusted"}},
		{"a merge", map[string]string{"github.event_name": "push", head: "", "github.repository": "team/swarm"}, []string{"apply"}},
		{"the hour", map[string]string{"github.event_name": "schedule", "github.repository": "team/swarm"}, []string{"observe"}},
	} {
		have, err := (&forgetest.Runner{Values: c.values}).Gets(readWorkflow(t))
		if err != nil || !slices.Equal(have, c.want) {
			t.Errorf("GitHub: %s gets the jobs %v (%v), want %v", c.what, have, err, c.want)
		}
	}
	const source, target = "CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "CI_MERGE_REQUEST_PROJECT_ID"
	for _, c := range []struct {
		what   string
		values map[string]string
		want   []string
	}{
		{"a branch", map[string]string{"CI_PIPELINE_SOURCE": "merge_request_event", source: "7", target: "7"}, []string{"comment", "plan"}},
		{"a fork", map[string]string{"CI_PIPELINE_SOURCE": "merge_request_event", source: "8", target: "7"}, []string{"plan-untrusted"}},
		{"a merge", map[string]string{"CI_PIPELINE_SOURCE": "push"}, []string{"apply"}},
		{"the hour", map[string]string{"CI_PIPELINE_SOURCE": "schedule"}, []string{"observe"}},
	} {
		have, err := (&forgetest.Runner{Values: c.values}).GetsPipeline(readPipeline(t))
		if err != nil || !slices.Equal(have, c.want) {
			t.Errorf("GitLab: %s gets the jobs %v (%v), want %v", c.what, have, err, c.want)
		}
	}
}

var pinned = regexp.MustCompile(`^actions/[a-z-]+@[0-9a-f]{40}$`)

// TestWorkflowHoldsLittle looks for what would let a pull request reach further than it
// may.
func TestWorkflowHoldsLittle(t *testing.T) {
	w := readWorkflow(t)
	if _, ok := w.On["pull_request_target"]; ok {
		t.Error("pull_request_target gives a fork's code this repository's secrets")
	}
	if w.Permissions == nil || len(w.Permissions) != 0 {
		t.Errorf("a job that names no permissions has %v", w.Permissions)
	}
	for name, job := range w.Jobs {
		writes := false
		for scope, access := range job.Permissions {
			writes = writes || access == "write"
			if access == "write" && (name != "comment" || scope != "pull-requests") {
				t.Errorf("%s may write %s", name, scope)
			}
		}
		for _, s := range job.Steps {
			if strings.Contains(s.Run, "${{") {
				t.Errorf("%s, %s: a value in a script is code", name, s.Name)
			}
			if s.Uses != "" && !pinned.MatchString(s.Uses) {
				t.Errorf("%s uses %s, which is not pinned", name, s.Uses)
			}
			if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != "false" {
				t.Errorf("%s leaves a token in the checkout", name)
			}
			secret := strings.Contains(fmt.Sprint(s.Env), "secrets.")
			if secret && (job.Environment == "" || name == "plan-untrusted") {
				t.Errorf("%s, %s: has a secret that no environment holds back", name, s.Name)
			}
			evaluates := strings.Contains(s.Run, "requeen plan") || strings.Contains(s.Run, "requeen -chdir") || strings.Contains(s.Run, "requeen apply")
			if evaluates && (secret || writes || s.Env["GH_TOKEN"] != "") {
				t.Errorf("%s, %s: env() of the configuration would see a token", name, s.Name)
			}
		}
	}
	if apply := w.Jobs["apply"]; apply.Concurrency["group"] != "requeen-apply" || apply.Concurrency["cancel-in-progress"] != false || apply.Environment == "" {
		t.Errorf("two applies could run at once, or one is cut: %+v", apply)
	}
	if apply := readPipeline(t)["apply"]; apply.ResourceGroup == "" || apply.Environment["name"] == nil {
		t.Errorf("GitLab: two applies could run at once: %+v", apply)
	}
}

// TestPipelinesAsOneReads holds the words of both pipelines to the commands that there
// are.
func TestPipelinesAsOneReads(t *testing.T) {
	command := regexp.MustCompile(`(?m)requeen (?:-chdir="[^"]*" )?(?:plan|show|apply|observe) [^|&>)\n]*`)
	for _, file := range []string{workflowFile, pipelineFile} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := command.FindAllString(strings.ReplaceAll(string(data), "\\\n", " "), -1)
		if len(found) < 7 {
			t.Errorf("%s: only the commands %q were found", file, found)
		}
		for _, line := range found {
			if err := parses(strings.ReplaceAll(line, `"`, ""), true); err != nil {
				t.Errorf("%s: %s: %v", file, line, err)
			}
		}
	}
}
