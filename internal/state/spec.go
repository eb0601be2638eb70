package state

// Spec is what a swarm's log holds of one service, secret, config, network or node as
// somebody asked for it. No secret's or config's data is in it, and nothing of what
// may hold a password is in clear.
type Spec struct {
	Kind   string // service, secret, config, network or node
	ID     string
	Name   string
	Fields map[string]SpecField // by their path, such as "task.container.image"
}

// SpecField is a value, or where that is not to be shown its digest.
type SpecField struct {
	Value  string // "" where it is hidden
	SHA256 string // hex, of what is hidden; to compare by, and never to be shown of a secret
}
