package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// engine speaks to the Docker engine of one node, through its socket as the
// machine sees it: without the node's network and without a docker command.
type engine struct {
	node   string
	client *http.Client
}

// apiError is an answer that is not a success.
type apiError struct {
	status  int
	message string
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s", e.status, e.message) }

// isConflict says that what was to be made is there already.
func isConflict(err error) bool {
	var e *apiError
	return errors.As(err, &e) && e.status == http.StatusConflict
}

func (s *state) engine(node string) *engine {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		socket, err := s.socket(node)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	return &engine{node: node, client: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// socket is the engine's socket, as a path of the machine.
func (s *state) socket(node string) (string, error) {
	pid, err := s.leader(node)
	if err != nil {
		return "", err
	}
	if pid == 0 {
		return "", fmt.Errorf("node %s does not run", node)
	}
	return fmt.Sprintf("/proc/%d/root/run/docker.sock", pid), nil
}

// call sends in as JSON, unless it is nil or a reader, and decodes the answer
// into out, unless that is nil.
func (e *engine) call(ctx context.Context, method, path string, in, out any) error {
	err := e.send(ctx, method, path, in, out)
	if err != nil {
		return fmt.Errorf("node %s: %s %s: %w", e.node, method, path, err)
	}
	return nil
}

func (e *engine) send(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	kind := "application/json"
	switch v := in.(type) {
	case nil:
	case io.Reader:
		body, kind = v, "application/x-tar"
	default:
		data, err := json.Marshal(v)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://engine"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", kind)
	resp, err := e.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		var said struct{ Message string }
		if json.Unmarshal(data, &said) != nil || said.Message == "" {
			said.Message = strings.TrimSpace(string(data))
		}
		return &apiError{resp.StatusCode, said.Message}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

func (e *engine) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return e.call(ctx, http.MethodGet, "/_ping", nil, nil)
}

// swarmInfo is what an engine says about its place in a swarm.
type swarmInfo struct {
	ServerVersion string
	Swarm         struct {
		NodeID           string
		LocalNodeState   string
		ControlAvailable bool
		Error            string
	}
}

func (e *engine) info(ctx context.Context) (swarmInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var info swarmInfo
	err := e.call(ctx, http.MethodGet, "/info", nil, &info)
	return info, err
}
