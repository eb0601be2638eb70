package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// The exit statuses of the helper. cmd hands them to the shell unchanged.
const (
	helperOK       = 0
	helperFailed   = 1
	helperWrongKey = 3
)

// RunHelper is what "requeen host-helper ARGS…" does on a host: "check" tells
// that the binary runs, "dial-socket PATH" relays standard input and output to a
// unix socket, "unlock --socket PATH [--timeout 60s]" reads the unlock key from
// standard input and unlocks the engine. It gives the exit status: 0 done (also
// when the engine is not locked), 3 wrong key, 1 any other failure, which is
// told on standard error and never holds the key.
func RunHelper(args []string, stdin io.Reader, stdout io.Writer) (status int) {
	if len(args) == 0 {
		return helperSays(errors.New("check, dial-socket or unlock is missing"))
	}
	switch args[0] {
	case "check":
		_, _ = fmt.Fprintln(stdout, "ok")
		return helperOK
	case "dial-socket":
		if len(args) != 2 {
			return helperSays(errors.New("dial-socket needs a path"))
		}
		return helperSays(relay(args[1], stdin, stdout))
	case "unlock":
		return unlockMain(args[1:], stdin)
	}
	return helperSays(fmt.Errorf("%q is not a command of the helper", args[0]))
}

func helperSays(err error) int {
	if err == nil {
		return helperOK
	}
	_, _ = fmt.Fprintln(os.Stderr, "requeen host-helper:", err)
	return helperFailed
}

// relay copies both ways until the socket ends; the end of stdin ends the
// sending half only.
func relay(path string, stdin io.Reader, stdout io.Writer) error {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return err
	}
	defer conn.Close()
	go func() {
		_, _ = io.Copy(conn, stdin)
		if u, ok := conn.(*net.UnixConn); ok {
			_ = u.CloseWrite()
		}
	}()
	_, err = io.Copy(stdout, conn)
	return err
}

func unlockMain(args []string, stdin io.Reader) int {
	flags := flag.NewFlagSet("unlock", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	socket := flags.String("socket", "/run/docker.sock", "")
	limit := flags.Duration("timeout", time.Minute, "")
	if err := flags.Parse(args); err != nil {
		return helperSays(err)
	}
	raw, err := io.ReadAll(io.LimitReader(stdin, 4<<10))
	if err != nil {
		return helperSays(err)
	}
	key := strings.TrimSpace(string(raw))
	if key == "" {
		return helperSays(errors.New("no key came on standard input"))
	}
	ctx, cancel := context.WithTimeout(context.Background(), *limit)
	defer cancel()
	switch err := unlock(ctx, *socket, key, 250*time.Millisecond); {
	case errors.Is(err, errWrongKey):
		_ = helperSays(err)
		return helperWrongKey
	default:
		return helperSays(err)
	}
}

var errWrongKey = errors.New("the engine refuses this unlock key")

// unlock posts the key until the engine takes it, says that it is not locked, or
// refuses it for good.
func unlock(ctx context.Context, socket, key string, pause time.Duration) error {
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	body, err := json.Marshal(map[string]string{"UnlockKey": key})
	if err != nil {
		return err
	}
	last := errors.New("the engine did not answer")
	for {
		done, err := tryUnlock(ctx, client, body)
		if done {
			return err
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("not unlocked in time: %s", strings.ReplaceAll(last.Error(), key, "(key)"))
		}
	}
}

// tryUnlock posts once; done says that asking again would not help. The engine
// answers 200 (unlocked), 409 (not locked), 401 (wrong key), 400 (no key at all),
// and 503 or 500 while it is not yet so far.
func tryUnlock(ctx context.Context, client *http.Client, body []byte) (done bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://docker/swarm/unlock", bytes.NewReader(body))
	if err != nil {
		return true, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	switch resp.StatusCode {
	case http.StatusOK, http.StatusNoContent, http.StatusConflict:
		return true, nil
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusBadRequest:
		return true, errWrongKey
	}
	return false, fmt.Errorf("the engine answered %s: %s", resp.Status, strings.TrimSpace(string(text)))
}
