package forgetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/itchyny/gojq"
)

// Variable names the directory of the forge: answers/PATH.json holds what a GET of an
// API's path answers, artifacts/NAME and artifacts/RUN/NAME hold artifacts, and
// comments/N.md what was posted.
const Variable = "REQUEEN_FORGETEST"

// Main runs one of the forge's programs, gh, glab, jq or curl, and gives its exit
// status.
func Main(program string, args []string) int {
	run := map[string]func([]string) error{"gh": gh, "glab": glab, "jq": jq, "curl": curl}[program]
	if err := run(args); err != nil {
		fmt.Fprintf(os.Stderr, "%s %s: %v\n", program, strings.Join(args, " "), err)
		return 1
	}
	return 0
}

// Programs are the names that Main knows.
var Programs = []string{"gh", "glab", "jq", "curl"}

// answer is what a GET of an API's path answers; its query chooses nothing.
func answer(path string) ([]byte, error) {
	u, err := url.Parse(path)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(os.Getenv(Variable), "answers", filepath.FromSlash(u.Path)+".json")
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("HTTP 404: %s", path)
	}
	return data, err
}

// post keeps what was posted as the next comment.
func post(body []byte) error {
	dir := filepath.Join(os.Getenv(Variable), "comments")
	have, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.md", len(have)+1)), body, 0o600)
}

// filter prints what a jq filter makes of each document, texts without quotes.
func filter(w io.Writer, expression string, documents io.Reader, compact bool) error {
	query, err := gojq.Parse(expression)
	if err != nil {
		return err
	}
	code, err := gojq.Compile(query, gojq.WithEnvironLoader(os.Environ))
	if err != nil {
		return err
	}
	for in := json.NewDecoder(documents); ; {
		var value any
		if err := in.Decode(&value); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := printed(w, code.Run(value), compact); err != nil {
			return err
		}
	}
}

func printed(w io.Writer, results gojq.Iter, compact bool) error {
	for {
		value, ok := results.Next()
		if !ok {
			return nil
		}
		if err, ok := value.(error); ok {
			return err
		}
		if text, ok := value.(string); ok && !compact {
			fmt.Fprintln(w, text)
			continue
		}
		data, err := gojq.Marshal(value)
		if err != nil {
			return err
		}
		fmt.Fprintln(w, string(data))
	}
}
