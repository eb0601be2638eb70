package plan

// Here is what is known of the machine on which requeen runs and of the secrets that
// are at hand on it. Nothing of it is secret. The zero Here knows nothing, and says
// no more than the configuration does.
type Here struct {
	// Known tells that this was looked at, as it is but for a plan that is made from a
	// file: only then does the plan say what could keep the backups from being opened.
	Known bool
	// CannotSign says of repositories with a verify_key, by name, why the private key
	// does not serve.
	CannotSign map[string]string
	// IdentityOn are the declared nodes on whose machine a repository's identity lies,
	// by the repository's name.
	IdentityOn map[string]string
	// UnlockKey is the fingerprint of cluster.unlock_key, "" where it is not known.
	UnlockKey string
	// Restoring are the IDs of backups that a plan which was saved here, or a run that
	// was cut, restores: none of them is pruned.
	Restoring []string
}
