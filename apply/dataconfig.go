package apply

import "github.com/requeen/requeen/plan"

// otherData tells of a run that would go on reading the data of a backup, under a
// configuration that was changed since: where it was changed so that what can't be read
// is no longer needed, the plan's would fail for ever. Nothing of the swarm is half done
// before the backup's manager is stopped, and the services come back with the run's end.
func (r *runner) otherData() []plan.Change {
	if !r.j.progress.everActed || r.req.ConfigSHA256 == "" || r.req.ConfigSHA256 == r.p.ConfigSHA256 {
		return nil
	}
	for _, s := range r.p.Steps {
		q := r.byStep[s.ID]
		switch {
		case r.j.progress.done(s.ID) || q == nil || q.met:
		case s.Recovery != "":
			return nil // which is finished as it was approved
		case q.onData && q.of != nil && !q.of.met && !r.begun(q.of):
			return []plan.Change{change(plan.ConfigurationChanged, "", "The configuration was changed since the run was cut, which had not read all the data of backup %s yet", s.Backup)}
		}
	}
	return nil
}
