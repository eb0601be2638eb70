package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"unicode/utf8"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/effects"
	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

// heldObject is an object that a backup holds, for a program. Nothing of a secret but
// its name, ID and labels is in it.
type heldObject struct {
	Kind   string            `json:"kind"`
	ID     string            `json:"id"`
	Name   string            `json:"name"`
	Fields map[string]string `json:"fields,omitempty"`
	SHA256 string            `json:"data_sha256,omitempty"` // of a config's data
}

// shownBackup is a manifest with what the backup holds, where it was opened.
type shownBackup struct {
	state.Backup
	Holds     []heldObject `json:"holds,omitempty"`
	NotOpened string       `json:"not_opened,omitempty"` // why it was not
	// Revealed are the values of the secrets that -reveal named, in base64.
	Revealed map[string]string `json:"revealed,omitempty"`
}

// contents opens a backup where identity and key are at hand; why says why not.
func (a *app) contents(ctx context.Context, open opened, repo *repository.Repository, b state.Backup, reveal []string) (list []state.Spec, secrets map[string][]byte, why string, err error) {
	s := &session{app: a, cfg: open.cfg}
	if cfg := open.cfg.Repository(repo.Name()); cfg == nil || !s.atHand(*cfg, &b) {
		why = "identity or unlock key is not at hand, so that no name in it can be told"
	} else if b.Problem != nil {
		why = b.Problem.Text
	}
	if why == "" {
		var key []byte
		if open.cfg.Cluster.UnlockKey.Known() {
			key = []byte(open.cfg.Cluster.UnlockKey.Reveal())
		}
		if list, secrets, err = effects.Contents(ctx, repo, b, key, reveal); err == nil || len(reveal) > 0 {
			return list, secrets, "", err
		}
		why = err.Error()
	}
	if len(reveal) > 0 {
		return nil, nil, "", diag.Diagnostic{Severity: diag.Error, Summary: "Backup " + b.ID + " was not opened, and nothing is revealed",
			Detail: sentenceOf(why), Remedy: "set identity in the repository block, and cluster.unlock_key where the swarm was auto-locked"}
	}
	return nil, nil, why, nil
}

func held(list []state.Spec) []heldObject {
	var out []heldObject
	for _, s := range list {
		o := heldObject{Kind: s.Kind, ID: s.ID, Name: s.Name, Fields: map[string]string{}}
		for path, f := range s.Fields {
			if f.SHA256 == "" {
				o.Fields[path] = f.Value
			}
		}
		if s.Kind == "config" {
			o.SHA256 = s.Fields["data"].SHA256
		}
		out = append(out, o)
	}
	sort.SliceStable(out, func(i, j int) bool { return heldKey(out[i]) < heldKey(out[j]) })
	return out
}

// heldKey is the place of an object in a list: nodes may share a name.
func heldKey(o heldObject) string { return o.Kind + "\x00" + o.Name + "\x00" + o.ID }

// revealed checks that every secret that is asked for is there, and warns where it can
// be seen that a value follows.
func (a *app) revealed(id string, asked []string, secrets map[string][]byte) error {
	if len(asked) == 0 {
		return nil
	}
	var missing []string
	for _, name := range asked {
		if _, there := secrets[name]; !there && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return diag.Diagnostic{Severity: diag.Error, Summary: "Backup " + id + " holds no secret " + shortList(missing),
			Detail: "Nothing was revealed. A secret whose value a driver gives is in no backup.", Remedy: "requeen backup show " + id + " names the secrets that it holds"}
	}
	fmt.Fprintf(a.err, "Warning: the output has the value of %s in clear. Keep it out of logs, tickets and shell histories.\n", shortList(asked))
	return nil
}

func inBase64(secrets map[string][]byte) map[string]string {
	out := map[string]string{}
	for name, value := range secrets {
		out[name] = base64.StdEncoding.EncodeToString(value)
	}
	return out
}

// shownText is a value for people: as it is, or where a screen would not show that
// as it is, quoted or in base64.
func shownText(value []byte) string {
	text := string(value)
	switch {
	case !utf8.Valid(value):
		return "base64:" + base64.StdEncoding.EncodeToString(value)
	case strconv.Quote(text) != `"`+text+`"`:
		return strconv.Quote(text)
	}
	return text
}
