package plan_test

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/requeen/requeen/internal/state"
)

// key is the same for worlds in which the same is planned and comes of it: times are
// left out but for their order and for whether a backup is fresh, and made names
// (recoveries, new node IDs, backups) stand for their place among the others.
func (d *disaster) key(buf []byte) []byte {
	k := &keyer{ids: d.madeNames(), out: buf}
	k.add(d.ask)
	k.flags(d.noLock)
	if d.cfg.Recovery != nil {
		k.add(d.cfg.Recovery.AssumeDead...)
	}
	for i := range d.disks {
		k.host(&d.st.Hosts[i], &d.disks[i])
	}
	for i := range d.swarms {
		k.lineage(&d.swarms[i])
	}
	last, from := 0, 0
	for _, r := range d.st.Repositories {
		for j := range r.Backups {
			b := &r.Backups[j]
			last, from = from, len(k.out)
			k.add("b", b.Kind, b.Backup, b.Epoch, b.ParentEpoch, b.Node, b.NodeID)
			k.number(b.Raft.Index, uint64(len(d.listed[b.ID])))
			k.flags(d.now.Sub(b.TakenAt) < 24*time.Hour, b.Autolocked, b.OpenedAt.IsZero())
			if last > 0 && bytes.Equal(k.out[last:from], k.out[from:]) {
				k.out, from = k.out[:from], last // stored twice by cut runs, of one state
			}
		}
	}
	return k.out
}

type keyer struct {
	ids []string
	out []byte
}

// madeNames are the names that the plans have made, in their order.
func (d *disaster) madeNames() []string {
	var ids []string
	add := func(id string) {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for i := range d.st.Hosts {
		h := &d.st.Hosts[i]
		for j := range h.Recoveries {
			add(h.Recoveries[j].ID)
		}
		if made(h.SwarmDir.NodeID) {
			add(h.SwarmDir.NodeID)
		}
	}
	for i := range d.swarms {
		add(d.swarms[i].epoch)
		for j := range d.swarms[i].nodes {
			if id := d.swarms[i].nodes[j].ID; made(id) {
				add(id)
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// made tells whether a plan has made a name: a recovery's begins with its year.
func made(name string) bool {
	return strings.HasPrefix(name, "2") || strings.HasPrefix(name, "new")
}

func (k *keyer) add(words ...string) {
	for _, w := range words {
		if made(w) {
			at, _ := slices.BinarySearch(k.ids, w)
			k.out = append(k.out, '#', byte('a'+at))
		} else {
			k.out = append(k.out, w...)
		}
		k.out = append(k.out, ' ')
	}
}

func (k *keyer) flags(list ...bool) {
	for _, f := range list {
		if f {
			k.out = append(k.out, '1')
		} else {
			k.out = append(k.out, '0')
		}
	}
}

func (k *keyer) host(h *state.Host, d *disk) {
	k.out = append(k.out, '\n')
	k.flags(d.off, d.hidden, d.up, d.sealed, d.forgot, h.SwarmDir.HasRaft, h.SwarmDir.HasStateFile, h.SwarmDir.Locked, h.SwarmDir.Presence == state.Present)
	k.add(h.SwarmDir.NodeID, h.SwarmDir.Role)
	k.content(d.log)
	for _, c := range d.aside {
		k.out = append(k.out, 'a')
		k.content(c)
	}
	for i := range h.Recoveries {
		r := &h.Recoveries[i]
		k.add("r", r.ID, string(r.Phase))
		k.flags(r.Held, r.Staged != "", r.Aside != "")
	}
	for i := range h.Runs {
		r := &h.Runs[i]
		k.add("u", string(r.Phase), r.NodeID)
		k.flags(r.CopyIntact, r.StartedAt.IsZero(), r.UnlockedAt.IsZero())
	}
}

func (k *keyer) content(c content) {
	k.add(c.epoch)
	k.number(c.index)
}

func (k *keyer) number(list ...uint64) {
	for _, n := range list {
		k.out = append(strconv.AppendUint(k.out, n, 10), ' ')
	}
}

func (k *keyer) lineage(l *lineage) {
	k.out = append(k.out, '\n')
	k.add(l.epoch, l.parent, l.leads)
	k.add(l.members...)
	for i := range l.nodes {
		k.add("n", l.nodes[i].ID, l.nodes[i].Role, l.nodes[i].Hostname)
	}
}
