package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/adopt"
	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/host"
	"github.com/requeen/requeen/internal/observe"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

type initFlags struct {
	from, out, name, become, repository, identity string
	recipients                                    []string
}

// initFile is the one file that init writes.
const initFile = "cluster.rq.hcl"

func newInitCommand(a *app) *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write the configuration of a living swarm",
		Long: `Asks a manager for its swarm, looks at every node, and writes the configuration
that declares what is there: nodes with addresses, roles, availability and
labels, the swarm's settings, a repository and a backup. Nothing on the hosts is
changed, and no file is written over.

The first plan of it is the backup alone. Where -recipient is not given, the
repository block is left for you to fill in, and validate says so.

The other nodes are reached as the user of -from, with the same -become.`,
		Example: `  requeen init -from ssh://root@m1 -out clusters/prod -name prod
  requeen init -from ssh://ops@10.0.0.11 -become sudo \
      -repository file:///mnt/nas/swarm-backups -recipient age1…
  requeen init -from local`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.init(cmd, f) },
	}
	cmd.Flags().StringVar(&f.from, "from", "", "`MANAGER` of the swarm, as ssh://USER@HOST[:PORT], or local for this machine")
	cmd.Flags().StringVar(&f.out, "out", ".", "write into `DIR`, which is made where it is not there")
	cmd.Flags().StringVar(&f.name, "name", "swarm", "`NAME` of the cluster, and of its directory in every repository")
	cmd.Flags().StringVar(&f.become, "become", "", "`HOW` to become root: sudo, where the user is not root")
	mayBe(cmd, "become", "sudo")
	cmd.Flags().StringVar(&f.repository, "repository", "", "`URL` of the repository for backups, such as file:///mnt/nas/swarm-backups")
	cmd.Flags().StringArrayVar(&f.recipients, "recipient", nil, "age or ssh public `KEY` that backups are encrypted to; may be repeated")
	cmd.Flags().StringVar(&f.identity, "identity", "", "`FILE` with the identity that opens backups")
	return cmd
}

func (a *app) init(cmd *cobra.Command, f initFlags) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	from, err := f.connection()
	if err != nil {
		return err
	}
	if err := roomFor(f.out); err != nil {
		return err
	}
	in, err := a.survey(ctx, from, f)
	if err != nil {
		return err
	}
	made := adopt.Config(in)
	if made.Diagnostics.HasErrors() {
		return made.Diagnostics
	}
	text, err := initText(made, f)
	if err != nil {
		return err
	}
	if err := writeNew(f.out, text); err != nil {
		return err
	}
	screenOf(a.err).Diagnostics(made.Diagnostics)
	a.saidInit(made, in, f)
	return nil
}

// connection reads -from and -become.
func (f initFlags) connection() (schema.Connection, error) {
	bad := func(detail string) error {
		return diag.Diagnostic{Severity: diag.Error, Summary: "-from does not say which swarm is meant", Detail: detail,
			Remedy: "name one of its managers: requeen init -from ssh://root@10.0.0.11"}
	}
	if f.become != "" && f.become != "sudo" {
		return schema.Connection{}, diag.Diagnostic{Severity: diag.Error, Summary: "-become is sudo or nothing",
			Detail: fmt.Sprintf("%q is no way to become root.", f.become), Remedy: "write -become sudo, or leave it out where the user is root"}
	}
	switch f.from {
	case "":
		return schema.Connection{}, bad("It is missing, and the configuration is made of what a living swarm tells.")
	case "local":
		return schema.Connection{Local: true, Become: f.become}, nil
	}
	target, err := schema.ParseTarget(f.from)
	if err != nil {
		return schema.Connection{}, bad(fmt.Sprintf("%q: %s.", f.from, err))
	}
	return schema.Connection{SSH: target, Become: f.become}, nil
}

// roomFor refuses a directory that holds a configuration already, before
// anything is contacted.
func roomFor(dir string) error {
	there, err := filepath.Glob(filepath.Join(dir, "*.rq.hcl"))
	if err != nil || len(there) == 0 {
		return err
	}
	return diag.Diagnostic{Severity: diag.Error, Summary: "There is a configuration already",
		Detail: fmt.Sprintf("%s is there, and nothing is written over; two configurations in one directory would be read as one.", there[0]),
		Remedy: "give another directory with -out"}
}

// survey looks at the manager of -from, and then at every node that it tells.
func (a *app) survey(ctx context.Context, from schema.Connection, f initFlags) (adopt.Input, error) {
	const name = "from"
	st, err := a.look(ctx, f.name, []schema.Node{{Name: name, Role: schema.RoleManager, Connection: from}})
	if err != nil {
		return adopt.Input{}, err
	}
	first := st.Host(name)
	if st.Swarm == nil {
		return adopt.Input{}, noSwarm(f.from, first, st.SwarmProblem)
	}
	in := adopt.Input{Name: f.name, From: from, FromID: first.Engine.NodeID, Swarm: *st.Swarm,
		Repository: f.repository, Recipients: f.recipients, Hosts: map[string]state.Host{first.Engine.NodeID: *first}}
	if f.identity != "" {
		if in.Identity, err = filepath.Abs(f.identity); err != nil {
			return adopt.Input{}, err
		}
	}
	guess := adopt.Config(in)
	nodes := slices.DeleteFunc(slices.Clone(guess.Config.Nodes), func(n schema.Node) bool { return guess.IDs[n.Name] == in.FromID })
	fmt.Fprintf(a.err, "%s tells of a swarm of %d nodes; looking at the other %d …\n", f.from, len(st.Swarm.Nodes), len(nodes))
	others, err := a.look(ctx, f.name, nodes)
	if err != nil {
		return adopt.Input{}, err
	}
	for _, h := range others.Hosts {
		id := guess.IDs[h.Name]
		if h.Looked == state.Present && h.Engine.NodeID != "" && h.Engine.NodeID != id {
			h = state.Host{Name: h.Name, Looked: state.Absent, Problem: &state.Problem{
				Text: fmt.Sprintf("%s is another node of the swarm (%s)", h.Target, h.Engine.NodeID)}}
		}
		in.Hosts[id] = h
	}
	return in, nil
}

// look observes nodes that no configuration declares yet.
func (a *app) look(ctx context.Context, cluster string, nodes []schema.Node) (*state.State, error) {
	cfg := &schema.Config{Cluster: schema.Cluster{Name: cluster}, Nodes: nodes}
	pool, err := host.NewPool(observe.Targets(cfg), host.Options{SSHConfig: os.Getenv("RQ_SSH_CONFIG"), Helper: os.Getenv("RQ_HELPER")})
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	return observe.Read(ctx, cfg, pool, observe.Options{Now: a.now})
}

// noSwarm says why the host of -from tells of no swarm.
func noSwarm(from string, h *state.Host, why *state.Problem) error {
	d := diag.Diagnostic{Severity: diag.Error, Summary: "No swarm could be read from " + from,
		Remedy: "name a manager whose swarm has a leader (docker node ls works on it)"}
	switch {
	case h.Problem != nil:
		d.Code, d.Detail, d.Remedy = h.Problem.Code, h.Problem.Text, h.Problem.Remedy
	case h.Engine.Problem != nil:
		d.Code, d.Detail, d.Remedy = h.Engine.Problem.Code, h.Engine.Problem.Text, h.Engine.Problem.Remedy
	case h.Engine.LocalNodeState == "locked":
		d.Detail, d.Remedy = "Its engine waits for the unlock key.", "unlock it first: docker swarm unlock on that host"
	case h.Engine.LocalNodeState == "inactive":
		d.Detail = "Its engine is in no swarm."
	case h.Engine.LocalNodeState == "active" && !h.Engine.ControlAvailable:
		d.Detail = "It is a worker, and only managers tell the swarm."
	case why != nil:
		d.Code, d.Detail, d.Remedy = why.Code, why.Text, why.Remedy
	}
	d.Detail = strings.TrimSuffix(d.Detail, ".") + ". Nothing was written."
	return d
}

// initText writes the configuration and reads it again: what does not come
// back the same is a mistake of this program, and not left to be found in a
// plan.
func initText(made adopt.Adopted, f initFlags) ([]byte, error) {
	o := schema.SourceOptions{Comments: made.Comments,
		Header: "The configuration of a living swarm, written by requeen init -from " + f.from + ".\nWhat is declared here is what was there; edit it, and requeen plan names every difference."}
	text, err := schema.Source(made.Config, o)
	if err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	checked := *made.Config
	if checked.Repositories = slices.Clone(checked.Repositories); len(checked.Repositories[0].Recipients) == 0 {
		checked.Repositories[0].Plaintext = true // stands in for what is left to fill in
	}
	whole, err := schema.Source(&checked, o)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "requeen-init")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, initFile), whole, 0o600); err != nil {
		return nil, err
	}
	read, ds := schema.Load(dir, schema.Options{})
	if ds.HasErrors() {
		return nil, append(ds, diag.Diagnostic{Severity: diag.Error, Summary: "What was read can't be declared",
			Detail: "The configuration of this swarm would have the mistakes above. Nothing was written.",
			Remedy: "correct them in the swarm or in the flags, and run init again"})
	}
	if a, b := adopt.Comparable(&checked), adopt.Comparable(read); a != b {
		return nil, fmt.Errorf("the configuration does not read as it was written, which is a mistake in requeen; nothing was written\nwritten: %s\nread:    %s", a, b)
	}
	return text, nil
}

// writeNew writes the file, and never over another.
func writeNew(dir string, text []byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("the directory of -out can't be made: %w", err)
	}
	path := filepath.Join(dir, initFile)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("the configuration can't be written: %w", err)
	}
	_, err = f.Write(text)
	for _, next := range []func() error{f.Sync, f.Close} {
		if e := next(); err == nil {
			err = e
		}
	}
	if err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("the configuration can't be written: %w", err)
	}
	return nil
}

func (a *app) saidInit(made adopt.Adopted, in adopt.Input, f initFlags) {
	managers := 0
	for _, n := range made.Config.Nodes {
		if n.Role == schema.RoleManager {
			managers++
		}
	}
	path := filepath.Join(f.out, initFile)
	fmt.Fprintf(a.out, "Wrote %s: the swarm %s with %s and %s.\n\n", path, in.Swarm.ID, many(managers, "manager"), many(len(made.Config.Nodes)-managers, "worker"))
	chdir := ""
	if filepath.Clean(f.out) != "." {
		chdir = " -chdir=" + f.out
	}
	step := 1
	next := func(format string, args ...any) {
		fmt.Fprintf(a.out, "  %d. "+format+"\n", append([]any{step}, args...)...)
		step++
	}
	fmt.Fprintln(a.out, "Next:")
	if f.repository == "" || len(f.recipients) == 0 {
		next("fill in the repository block in %s", path)
	}
	next("requeen%s validate", chdir)
	next("requeen%s plan", chdir)
}

func many(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
