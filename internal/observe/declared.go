package observe

import (
	"fmt"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// observeAgain is the remedy where a recorded look does not serve.
const observeAgain = "Observe again with this configuration, where the hosts can be reached: requeen observe -out FILE."

// Declared gives of a recorded look what a look with this configuration would
// have seen: what is not declared is left out, and what was not looked at, or in
// another place than is declared now, is unknown and says why. Where the
// configuration is the one that the look was made with, nothing changes. The look
// stays as it is.
func Declared(cfg *schema.Config, recorded *state.State) (*state.State, error) {
	if recorded.Cluster != cfg.Cluster.Name {
		return nil, diag.Diagnostic{Severity: diag.Error, Summary: "The observation is of another cluster",
			Detail: fmt.Sprintf("It is of the cluster %q, and the configuration is that of %q. Nothing was planned.", recorded.Cluster, cfg.Cluster.Name),
			Remedy: "name the observation of this cluster, or go to the other's configuration with -chdir"}
	}
	st := *recorded
	st.Hosts = make([]state.Host, 0, len(cfg.Nodes))
	for _, n := range cfg.Nodes {
		st.Hosts = append(st.Hosts, declaredHost(n, recorded.Host(n.Name)))
	}
	st.Repositories = make([]state.Repository, 0, len(cfg.Repositories))
	for _, r := range cfg.Repositories {
		st.Repositories = append(st.Repositories, declaredRepository(r, recorded.Repository(r.Name)))
	}
	return &st, nil
}

// declaredHost is a declared node's host as it was seen, where it was seen by the
// way that is declared: another way may lead to another machine (safety rule 17).
func declaredHost(n schema.Node, seen *state.Host) state.Host {
	none := state.Host{Name: n.Name, Address: n.Address, Target: shownTarget(n)}
	switch {
	case n.Connection.None:
		return none
	case seen == nil:
		none.Problem = problem(codeUnreachable, n.Name, "it is not in the observation, which was made before it was declared", observeAgain)
		return none
	case seen.Target != none.Target:
		none.Problem = problem(codeUnreachable, n.Name,
			fmt.Sprintf("it is declared to be reached as %s, and was observed as %s, which may be another machine", none.Target, seen.Target), observeAgain)
		return none
	}
	h := *seen
	h.Address = n.Address
	return h
}

func declaredRepository(r schema.Repository, seen *state.Repository) state.Repository {
	none := state.Repository{Name: r.Name, URL: bare(r.URL), Backups: []state.Backup{}}
	switch {
	case seen == nil:
		none.Problem = problem(codeRepository, "", "It is not in the observation, which was made before it was declared", observeAgain)
		return none
	case bare(seen.URL) != none.URL:
		none.Problem = problem(codeRepository, "", fmt.Sprintf("It is declared at %s, and was observed at %s", none.URL, seen.URL), observeAgain)
		return none
	}
	return *seen
}
