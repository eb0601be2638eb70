package state

// Inventory names what a swarm holds, so that a restored swarm can be compared
// with the backup that it came from. It has IDs only: no name and no payload.
// A raft log and a manager's API give the same one; no list and no map in it is
// nil.
type Inventory struct {
	Services []string `json:"services"` // IDs, sorted, as are the next three
	Secrets  []string `json:"secrets"`
	Configs  []string `json:"configs"`
	// Networks are the swarm's own, the ingress network among them; those that
	// stand for a node's local networks are left out, as the API does.
	Networks []string                 `json:"networks"`
	Nodes    map[string]InventoryNode `json:"nodes"` // by node ID
}

// InventoryNode is what somebody declared of a node.
type InventoryNode struct {
	Labels       map[string]string `json:"labels"`
	Role         string            `json:"role"`         // manager, worker (desired)
	Availability string            `json:"availability"` // active, pause, drain
}
