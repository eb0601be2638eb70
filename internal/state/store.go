package state

// Store is what a raft log says is to run, as far as it says what a node does to
// its containers once it obeys that log (safety rule 15). It holds no
// environment, argument or payload.
type Store struct {
	Nodes    map[string]StoreNode `json:"nodes"`    // by node ID
	Services []StoreService       `json:"services"` // sorted by ID
	Tasks    []Task               `json:"tasks"`    // of all nodes, sorted by node, then by ID
}

// StoreNode is how a raft log knows a node.
type StoreNode struct {
	Hostname string `json:"hostname,omitempty"`
	Addr     string `json:"addr,omitempty"` // as the dispatcher saw it last
}

// StoreService is a service as a raft log holds it.
type StoreService struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Job  bool   `json:"job,omitempty"`
	// Moves tells that a task of it that is lost is replaced on any node; one of
	// a global service is not.
	Moves bool `json:"moves,omitempty"`
	// Updating tells that an update or a rollback of it was under way.
	Updating bool `json:"updating,omitempty"`
	// Writable are the places outside of its containers that they can write to
	// and that other nodes may see too, sorted by Target: bind mounts, volumes of
	// a driver other than local or with options of their own, cluster volumes.
	Writable []Mount `json:"writable,omitempty"`
}

// Opening is what came of opening a backup while a restore was planned.
type Opening struct {
	Store *Store `json:"store,omitempty"` // nil where it was not opened
	// Problem is why it was not opened. Its code is that of a refusal where what
	// is at hand does not open it; without one it could not be tried.
	Problem *Problem `json:"problem,omitempty"`
	// Damaged tells that nobody can restore it, whatever is at hand.
	Damaged bool `json:"damaged,omitempty"`
}

// Content is what an opened backup says is to run, nil where it was not opened.
func (o *Opening) Content() *Store {
	if o == nil {
		return nil
	}
	return o.Store
}
