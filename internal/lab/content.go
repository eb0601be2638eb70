package lab

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // the web program's source
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
)

// Image is the image that a lab's services run. It is imported on every node:
// nothing can be pulled there.
const Image = "requeen-lab/web:1"

//go:embed web/main.go.txt
var webSource []byte

var (
	secretNames = []string{"db-password", "api-token", "tls-key"}
	configNames = []string{"web-conf", "motd"}
)

const networkName = "lab-net"

// Payload is the content of one of the secrets and configs that Up deploys,
// so that a test can tell whether it came back.
func Payload(lab, name string) string {
	return fmt.Sprintf("%s of lab %s: %x\n", name, lab, sha256.Sum256([]byte(lab+"/"+name)))
}

// webImage builds the image's layer, or finds the one built before.
func webImage(ctx context.Context, say Progress) (string, error) {
	file := filepath.Join(Root, fmt.Sprintf("web-%x.tar", sha256.Sum256(webSource))[:20]+".tar")
	if exists(file) {
		return file, nil
	}
	say("building the image that the services run")
	dir, err := os.MkdirTemp("", "requeen-lab-web-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "main.go"), webSource, 0o600); err != nil {
		return "", err
	}
	env := []string{"CGO_ENABLED=0", "GO111MODULE=off", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local"}
	args := append(env, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, "web"), filepath.Join(dir, "main.go"))
	if _, err := run(ctx, "env", args...); err != nil {
		return "", fmt.Errorf("the program that the lab's services run can't be built: %w", err)
	}
	program, err := os.ReadFile(filepath.Join(dir, "web"))
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "web", Mode: 0o755, Size: int64(len(program))}); err != nil {
		return "", err
	}
	if _, err := w.Write(program); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return file, writeFile(file, b.Bytes(), 0o644)
}

// importImage gives a node's engine the image.
func (s *state) importImage(ctx context.Context, node, file string) error {
	e := s.engine(node)
	if e.call(ctx, http.MethodGet, "/images/"+Image+"/json", nil, nil) == nil {
		return nil
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	query := url.Values{"fromSrc": {"-"}, "repo": {"requeen-lab/web"}, "tag": {"1"}, "changes": {`CMD ["/web"]`}}
	return e.call(ctx, http.MethodPost, "/images/create?"+query.Encode(), f, nil)
}

// deploy makes what is missing of the content that a backup should bring back.
func (s *state) deploy(ctx context.Context) error {
	e := s.engine(s.swarmNodes()[0].Name)
	for path, names := range map[string][]string{"/secrets": secretNames, "/configs": configNames} {
		for _, name := range names {
			data := base64.StdEncoding.EncodeToString([]byte(Payload(s.Name, name)))
			err := e.call(ctx, http.MethodPost, path+"/create", map[string]any{"Name": name, "Data": data, "Labels": labels}, nil)
			if err != nil && !isConflict(err) {
				return err
			}
		}
	}
	err := e.call(ctx, http.MethodPost, "/networks/create", map[string]any{
		"Name": networkName, "Driver": "overlay", "Attachable": true, "CheckDuplicate": true, "Labels": labels}, nil)
	if err != nil && !isConflict(err) {
		return err
	}
	secrets, err := e.ids(ctx, "/secrets")
	if err != nil {
		return err
	}
	configs, err := e.ids(ctx, "/configs")
	if err != nil {
		return err
	}
	for _, spec := range services(secrets, configs) {
		if err := e.call(ctx, http.MethodPost, "/services/create", spec, nil); err != nil && !isConflict(err) {
			return err
		}
	}
	return nil
}

var labels = map[string]string{"made-by": "requeen-lab"}

// ids are the identifiers of secrets or configs by name.
func (e *engine) ids(ctx context.Context, path string) (map[string]string, error) {
	var list []struct {
		ID   string
		Spec struct{ Name string }
	}
	if err := e.call(ctx, http.MethodGet, path, nil, &list); err != nil {
		return nil, err
	}
	byName := map[string]string{}
	for _, o := range list {
		byName[o.Spec.Name] = o.ID
	}
	return byName, nil
}

// services are three: replicated on the overlay network, replicated without a
// network, and one task a node with a port of the node's own.
func services(secrets, configs map[string]string) []map[string]any {
	replicas := func(n int) map[string]any { return map[string]any{"Replicated": map[string]any{"Replicas": n}} }
	web := service("web", replicas(3), task(secrets, configs, []string{"db-password", "api-token"}, []string{"web-conf"}))
	web["TaskTemplate"].(map[string]any)["Networks"] = []map[string]any{{"Target": networkName}}
	queue := service("queue", replicas(2), task(secrets, configs, []string{"tls-key"}, []string{"motd"}))
	edge := service("edge", map[string]any{"Global": map[string]any{}}, task(secrets, configs, []string{"api-token"}, nil))
	edge["EndpointSpec"] = map[string]any{"Mode": "dnsrr", "Ports": []map[string]any{
		{"Protocol": "tcp", "TargetPort": 8080, "PublishedPort": 8080, "PublishMode": "host"}}}
	return []map[string]any{web, queue, edge}
}

func service(name string, mode, template map[string]any) map[string]any {
	return map[string]any{"Name": name, "Labels": labels, "Mode": mode, "TaskTemplate": template}
}

func task(secrets, configs map[string]string, useSecrets, useConfigs []string) map[string]any {
	file := func(name string) map[string]any {
		return map[string]any{"Name": name, "UID": "0", "GID": "0", "Mode": 0o444}
	}
	var s, c []map[string]any
	for _, name := range useSecrets {
		s = append(s, map[string]any{"SecretID": secrets[name], "SecretName": name, "File": file(name)})
	}
	for _, name := range useConfigs {
		c = append(c, map[string]any{"ConfigID": configs[name], "ConfigName": name, "File": file("/configs/" + name)})
	}
	return map[string]any{
		"ContainerSpec": map[string]any{"Image": Image, "Secrets": s, "Configs": c, "StopGracePeriod": 1_000_000_000},
		"RestartPolicy": map[string]any{"Condition": "any", "Delay": 1_000_000_000},
	}
}
