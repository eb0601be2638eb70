package raftdir

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/swarmkit/v2/api"

	"github.com/requeen/requeen/internal/state"
)

// Specs tells what the swarm in dir, a private copy, was asked for, sorted by kind,
// name and ID: its services, secrets, configs, networks and nodes. Like Content it
// takes what the log has not marked committed as committed. Secrets and configs have
// the digest of their data; what may hold a password (environment, options of drivers)
// is hidden behind one, too. dir is only read. Errors are Inventory's.
func Specs(ctx context.Context, dir string, unlockKey []byte) ([]state.Spec, error) {
	all, err := saved(ctx, dir, unlockKey)
	if err != nil {
		return nil, err
	}
	var list []state.Spec
	for _, s := range all.Services {
		list = append(list, specOf("service", s.ID, s.Spec.Annotations.Name, s.Spec))
	}
	for _, s := range all.Secrets {
		data := s.Spec.Data
		s.Spec.Data = nil
		list = append(list, withData(specOf("secret", s.ID, s.Spec.Annotations.Name, s.Spec), data))
	}
	for _, c := range all.Configs {
		data := c.Spec.Data
		c.Spec.Data = nil
		list = append(list, withData(specOf("config", c.ID, c.Spec.Annotations.Name, c.Spec), data))
	}
	for _, n := range all.Networks {
		if _, local := n.Spec.Annotations.Labels[labelPredefined]; !local {
			list = append(list, specOf("network", n.ID, n.Spec.Annotations.Name, n.Spec))
		}
	}
	for _, n := range all.Nodes {
		list = append(list, nodeSpec(n))
	}
	slices.SortFunc(list, func(a, b state.Spec) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// nodeSpec has words where the spec has numbers.
func nodeSpec(n *api.Node) state.Spec {
	s := state.Spec{Kind: "node", ID: n.ID, Fields: map[string]state.SpecField{
		"role":         {Value: strings.ToLower(strings.TrimPrefix(n.Spec.DesiredRole.String(), "NodeRole"))},
		"availability": {Value: strings.ToLower(n.Spec.Availability.String())},
	}}
	if n.Description != nil {
		s.Name = n.Description.Hostname
	}
	for k, v := range n.Spec.Annotations.Labels {
		s.Fields["labels."+k] = state.SpecField{Value: v}
	}
	return s
}

func specOf(kind, id, name string, spec any) state.Spec {
	s := state.Spec{Kind: kind, ID: id, Name: name, Fields: map[string]state.SpecField{}}
	data, err := json.Marshal(spec)
	var tree any
	if err == nil {
		err = json.Unmarshal(data, &tree)
	}
	if err != nil {
		s.Fields["spec"] = state.SpecField{Value: "it can't be decoded: " + err.Error()}
		return s
	}
	flatten(s.Fields, "", tree, false)
	delete(s.Fields, "annotations.name")
	return s
}

// flatten takes a decoded value apart; hidden says that what is below is not shown.
func flatten(to map[string]state.SpecField, path string, value any, hidden bool) {
	switch v := value.(type) {
	case map[string]any:
		for k, below := range v {
			if !strings.HasSuffix(path, "labels") {
				k = strings.ToLower(k)
			}
			flatten(to, strings.TrimPrefix(path+"."+k, "."), below, hidden || k == "options")
		}
	case []any:
		for i, below := range v {
			name, isEnv := envName(path, below)
			if isEnv {
				flatten(to, path+"."+name, below, true)
				continue
			}
			flatten(to, fmt.Sprintf("%s[%d]", path, i), below, hidden)
		}
	case nil:
	default:
		text := fmt.Sprint(v)
		if n, ok := v.(float64); ok {
			text = strconv.FormatFloat(n, 'f', -1, 64)
		}
		if hidden {
			to[path] = state.SpecField{SHA256: digest([]byte(text))}
			return
		}
		to[path] = state.SpecField{Value: text}
	}
}

// envName is the name of a variable in a list of an environment.
func envName(path string, value any) (string, bool) {
	text, ok := value.(string)
	if !ok || path != "env" && !strings.HasSuffix(path, ".env") {
		return "", false
	}
	name, _, _ := strings.Cut(text, "=")
	return name, true
}

func withData(s state.Spec, data []byte) state.Spec {
	s.Fields["data"] = state.SpecField{SHA256: digest(data)}
	return s
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
