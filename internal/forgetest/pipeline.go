package forgetest

import (
	"fmt"
	"os"

	"gopkg.in/yaml.v3"
)

// Workflow is a workflow of GitHub Actions.
type Workflow struct {
	On          map[string]any    `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Env         map[string]string `yaml:"env"`
	Jobs        map[string]*Job   `yaml:"jobs"`
}

// Job is a job of a workflow.
type Job struct {
	If          string            `yaml:"if"`
	RunsOn      any               `yaml:"runs-on"`
	Environment string            `yaml:"environment"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency map[string]any    `yaml:"concurrency"`
	Outputs     map[string]string `yaml:"outputs"`
	Steps       []Step            `yaml:"steps"`
}

// Step is a step of a job.
type Step struct {
	Name, ID, If, Run, Uses string
	Env, With               map[string]string
}

// ReadWorkflow reads a workflow of GitHub Actions.
func ReadWorkflow(file string) (*Workflow, error) {
	var w Workflow
	return &w, read(file, &w)
}

// Pipeline is a GitLab pipeline's jobs, the hidden ones left out.
type Pipeline map[string]*PipelineJob

// PipelineJob is a job of a GitLab pipeline.
type PipelineJob struct {
	Extends       string           `yaml:"extends"`
	Rules         []map[string]any `yaml:"rules"`
	Environment   map[string]any   `yaml:"environment"`
	ResourceGroup string           `yaml:"resource_group"`
	Script        []string         `yaml:"script"`
	Artifacts     struct {
		Paths []string `yaml:"paths"`
	} `yaml:"artifacts"`
}

// ReadPipeline reads a GitLab pipeline.
func ReadPipeline(file string) (Pipeline, error) {
	var all map[string]yaml.Node
	if err := read(file, &all); err != nil {
		return nil, err
	}
	jobs := Pipeline{}
	for name, node := range all {
		var j PipelineJob
		if node.Kind == yaml.MappingNode && node.Decode(&j) == nil && len(j.Script) > 0 {
			jobs[name] = &j
		}
	}
	return jobs, nil
}

func read(file string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
