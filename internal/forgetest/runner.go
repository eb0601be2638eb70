package forgetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Runner is a machine that runs jobs, and the forge that they see.
type Runner struct {
	Forge     string            // the directory that Variable names
	Workspace string            // the checkout
	Temp      string            // what GitHub's runners call RUNNER_TEMP
	Env       []string          // what the machine's environment holds
	Values    map[string]string // of ${{ … }}, or of a pipeline's predefined variables
	Skip      []string          // the names of steps that are not run
	Output    strings.Builder   // all that the jobs wrote
}

// NewForge makes the directory of a forge.
func NewForge(dir string) error {
	for _, name := range []string{"answers", "artifacts", "comments"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// Answer has the forge answer a GET of an API's path.
func (r *Runner) Answer(path, json string) error {
	file := filepath.Join(r.Forge, "answers", filepath.FromSlash(path)+".json")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(json), 0o600)
}

// Gets tells the names of the jobs that a workflow has for what happened, sorted.
func (r *Runner) Gets(w *Workflow) ([]string, error) {
	var names []string
	for name, job := range w.Jobs {
		ok, err := holds(job.If, r.Values)
		if err != nil {
			return nil, err
		}
		if ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Run runs a job's steps as the forge would: after one that fails only those that run
// always.
func (r *Runner) Run(w *Workflow, name string) error {
	job := w.Jobs[name]
	if job == nil {
		return fmt.Errorf("there is no job %s", name)
	}
	var failed error
	for i, s := range job.Steps {
		if failed != nil && s.If != "always()" || s.Name != "" && slices.Contains(r.Skip, s.Name) {
			continue
		}
		if s.If != "" {
			if ok, err := holds(s.If, r.Values); err != nil {
				return err
			} else if !ok {
				continue
			}
		}
		if err := r.step(w, s); err != nil && failed == nil {
			failed = fmt.Errorf("%s, step %d %s: %w\n%s", name, i+1, s.Name, err, r.Output.String())
		}
	}
	for output, from := range job.Outputs {
		r.Values["needs."+name+".outputs."+output] = fill(from, r.Values)
	}
	return failed
}

func (r *Runner) step(w *Workflow, s Step) error {
	if strings.HasPrefix(s.Uses, "actions/upload-artifact@") {
		return r.upload(fill(s.With["name"], r.Values), fill(s.With["path"], r.Values))
	}
	if s.Uses != "" {
		return nil // a checkout: the workspace is one
	}
	outputs := filepath.Join(r.Temp, "outputs-of-step")
	_ = os.Remove(outputs)
	env := []string{"GITHUB_OUTPUT=" + outputs, "GITHUB_STEP_SUMMARY=" + filepath.Join(r.Temp, "summary.md"), "RUNNER_TEMP=" + r.Temp,
		"GITHUB_REPOSITORY=" + r.Values["github.repository"], "GITHUB_SHA=" + r.Values["github.sha"],
		"GITHUB_REF_NAME=" + r.Values["github.ref_name"], "GITHUB_RUN_ID=" + r.Values["github.run_id"]}
	for _, more := range []map[string]string{w.Env, s.Env} {
		for k, v := range more {
			env = append(env, k+"="+fill(v, r.Values))
		}
	}
	err := r.script(s.Run, env)
	data, _ := os.ReadFile(outputs)
	for line := range strings.Lines(string(data)) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			r.Values["steps."+s.ID+".outputs."+k] = v
		}
	}
	return err
}

// script runs a script in the workspace, as both forges do.
func (r *Runner) script(text string, env []string) error {
	cmd := exec.Command("bash", "-e", "-c", text)
	cmd.Dir = r.Workspace
	cmd.Env = append(append(slices.Clone(r.Env), Variable+"="+r.Forge), env...)
	cmd.Stdout, cmd.Stderr = &r.Output, &r.Output
	return cmd.Run()
}

// upload keeps an artifact under its name, for its run and for all.
func (r *Runner) upload(name, path string) error {
	for _, to := range []string{name, filepath.Join(r.Values["github.run_id"], name)} {
		dir := filepath.Join(r.Forge, "artifacts", to)
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		if err := os.CopyFS(dir, os.DirFS(path)); err != nil {
			return err
		}
	}
	return nil
}

// GetsPipeline tells the names of the jobs that a pipeline has for what happened.
func (r *Runner) GetsPipeline(p Pipeline) ([]string, error) {
	var names []string
	for name, job := range p {
		for _, rule := range job.Rules {
			ok, err := holds(fmt.Sprint(rule["if"]), r.Values)
			if err != nil {
				return nil, err
			}
			if ok {
				names = append(names, name)
				break
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// RunPipeline runs a job's script, and keeps its artifacts under a name.
func (r *Runner) RunPipeline(p Pipeline, name, artifact string) error {
	job := p[name]
	if job == nil {
		return fmt.Errorf("there is no job %s", name)
	}
	env := []string{"NO_COLOR=1"}
	for k, v := range r.Values {
		env = append(env, k+"="+v)
	}
	failed := r.script(strings.Join(job.Script, "\n"), env)
	for _, path := range job.Artifacts.Paths {
		path = strings.TrimSuffix(path, "/")
		if err := r.keep(filepath.Join(r.Workspace, path), filepath.Join(r.Forge, "artifacts", artifact, path)); err != nil && failed == nil {
			return err
		}
	}
	if failed != nil {
		return fmt.Errorf("%s: %w\n%s", name, failed, r.Output.String())
	}
	return nil
}

func (r *Runner) keep(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		_ = os.RemoveAll(to)
		return os.CopyFS(to, os.DirFS(from))
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}
