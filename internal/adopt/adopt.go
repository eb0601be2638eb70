package adopt

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/state"
	"github.com/requeen/requeen/schema"
)

// Input is what a configuration is made from.
type Input struct {
	// Name is the cluster's, and its directory's in every repository.
	Name string
	// From reaches the node FromID. The others are reached as its user, with
	// its become, at their addresses.
	From   schema.Connection
	FromID string
	Swarm  state.Swarm
	// Hosts are what was seen of the nodes, by the swarm's node ID. A node that
	// is not among them was not looked at.
	Hosts map[string]state.Host

	Repository string   // the URL of the repository; "" = DefaultRepository
	Recipients []string // may be empty: then they are left to fill in
	Identity   string   // absolute; may be empty
}

// DefaultRepository is where backups go if nobody says otherwise: a place on
// the operator's machine, to be thought about.
const DefaultRepository = "file:///var/backups/requeen"

// The names of the blocks that are made beside the nodes.
const (
	repositoryName = "backups"
	backupName     = "state"
	backupMaxAge   = 24 * time.Hour
)

// Adopted is a configuration that was made, with what to say above its blocks
// ("node m1", "repository backups") and about it.
type Adopted struct {
	Config      *schema.Config
	Comments    map[string]string
	Diagnostics diag.Diagnostics
	IDs         map[string]string // the swarm's node IDs by the nodes' names
}

// Config makes the configuration. Its diagnostics are warnings about what could
// not be found out, and errors where a node can't be declared at all.
func Config(in Input) Adopted {
	m := &maker{in: in, out: Adopted{Config: &schema.Config{}, Comments: map[string]string{}, IDs: map[string]string{}}}
	m.cluster()
	m.nodes()
	m.repository()
	return m.out
}

type maker struct {
	in  Input
	out Adopted
}

func (m *maker) comment(block, text string) {
	if old := m.out.Comments[block]; old != "" {
		text = old + "\n" + text
	}
	m.out.Comments[block] = text
}

func (m *maker) warn(summary, detail, remedy string) {
	m.out.Diagnostics = append(m.out.Diagnostics, diag.Diagnostic{Severity: diag.Warning, Summary: summary, Detail: detail, Remedy: remedy})
}

func (m *maker) fail(node, summary, detail, remedy string) {
	m.out.Diagnostics = append(m.out.Diagnostics, diag.Diagnostic{Severity: diag.Error, Summary: summary, Detail: detail, Remedy: remedy, Node: node})
}

// What engines do of themselves when a swarm is made; it is left out.
const (
	defaultListen   = "0.0.0.0:2377"
	defaultDataPort = 4789
	defaultMask     = 24
)

var defaultPool = []string{"10.0.0.0/8"}

func (m *maker) cluster() {
	s := m.in.Swarm
	autolock := s.Autolock
	c := schema.Cluster{Name: m.in.Name, ID: s.ID, Autolock: &autolock}
	if autolock {
		m.comment("cluster "+m.in.Name, "The swarm is auto-locked. Its unlock key is needed only when no live manager can\n"+
			"tell it; give it then as unlock_key = env(\"UNLOCK_KEY\"), never as a text here.")
	}
	if have := s.Settings; have != nil {
		v := *have
		c.Settings = schema.Settings{TaskHistoryLimit: &v.TaskHistoryLimit, CertExpiry: &v.CertExpiry, SnapshotInterval: &v.SnapshotInterval,
			LogEntriesForSlowFollowers: &v.LogEntriesForSlowFollowers, HeartbeatTick: &v.HeartbeatTick, ElectionTick: &v.ElectionTick,
			DispatcherHeartbeat: &v.DispatcherHeartbeat}
		if v.DataPathPort != defaultDataPort {
			c.DataPathPort = v.DataPathPort
		}
		if len(v.DefaultAddrPool) > 0 && !slices.Equal(v.DefaultAddrPool, defaultPool) {
			c.DefaultAddrPool = slices.Clone(v.DefaultAddrPool)
		}
		if v.DefaultAddrPoolMaskLength != defaultMask {
			c.DefaultAddrPoolMaskLength = v.DefaultAddrPoolMaskLength
		}
	}
	c.ListenAddr = m.listens()
	m.out.Config.Cluster = c
}

// listens is the address that every manager listens on, where it is one and
// not the default.
func (m *maker) listens() string {
	seen := map[string]bool{}
	for _, h := range m.in.Hosts {
		if a := h.SwarmDir.ListenAddr; a != "" && h.SwarmDir.Role == schema.RoleManager {
			seen[a] = true
		}
	}
	if len(seen) == 1 && !seen[defaultListen] {
		for a := range seen {
			return a
		}
	}
	return ""
}

func (m *maker) repository() {
	r := schema.Repository{Name: repositoryName, URL: m.in.Repository, Recipients: m.in.Recipients, Identity: m.in.Identity}
	if r.URL == "" {
		r.URL = DefaultRepository
		m.comment("repository "+repositoryName, "Fill in where backups are kept: not on one of the swarm's own nodes.")
	}
	if len(r.Recipients) == 0 {
		m.comment("repository "+repositoryName, "Fill in recipients = [\"age1…\"]: age-keygen -o requeen-identity.txt prints one.\n"+
			"Keep that file off the swarm: without it no backup can be opened.")
	}
	m.out.Config.Repositories = []schema.Repository{r}
	m.out.Config.Backups = []schema.Backup{{Name: backupName, Repository: repositoryName, MaxAge: backupMaxAge,
		From: schema.FromFollower, Consistency: schema.ConsistencyStopped}}
}

func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// usable gives an address that a node can advertise, "" if it is none.
func usable(address string) string {
	ip := net.ParseIP(hostOf(address))
	if ip == nil || ip.IsUnspecified() || ip.IsLoopback() || ip.IsMulticast() {
		return ""
	}
	return ip.String()
}

func describe(n state.SwarmNode) string {
	return fmt.Sprintf("%s %s (%s)", n.Role, strings.TrimSpace(n.Hostname), n.ID)
}
