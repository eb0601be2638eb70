package adopt

import (
	"encoding/json"
	"slices"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/schema"
)

// Comparable is what a configuration declares, as one text: without where it
// was read from, and with what is written out the same as what is left out.
func Comparable(cfg *schema.Config) string {
	c := *cfg
	c.Dir, c.Files, c.SHA256 = "", nil, ""
	c.Cluster.Range, c.Cluster.Settings.Range = diag.Range{}, diag.Range{}
	c.Nodes = slices.Clone(c.Nodes)
	for i := range c.Nodes {
		n := &c.Nodes[i]
		n.Range, n.Connection.Range = diag.Range{}, diag.Range{}
	}
	c.Repositories = slices.Clone(c.Repositories)
	for i := range c.Repositories {
		c.Repositories[i].Range = diag.Range{}
		if len(c.Repositories[i].Recipients) == 0 {
			c.Repositories[i].Recipients = nil
		}
	}
	c.Backups = slices.Clone(c.Backups)
	for i := range c.Backups {
		c.Backups[i].Range = diag.Range{}
	}
	text, err := json.Marshal(c) // plain data: only a channel or a function could fail
	if err != nil {
		return err.Error()
	}
	return string(text)
}
