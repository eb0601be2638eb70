package forgetest

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// arguments parses flags before, between and after words, as these programs do.
func arguments(flags *flag.FlagSet, args []string) (words []string, err error) {
	flags.SetOutput(io.Discard)
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if args = flags.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	return words, nil
}

var errUnknown = errors.New("this forge knows no such command")

// signedIn refuses what the forge would refuse without a token.
func signedIn(variable string) error {
	if os.Getenv(variable) == "" {
		return fmt.Errorf("%s is not set", variable)
	}
	return nil
}

// gh is GitHub's program, as far as the example uses it.
func gh(args []string) error {
	flags := flag.NewFlagSet("gh", flag.ContinueOnError)
	var expression, name, dir, body string
	flags.StringVar(&expression, "jq", "", "")
	flags.StringVar(&name, "name", "", "")
	flags.StringVar(&dir, "dir", ".", "")
	flags.StringVar(&body, "body-file", "", "")
	for _, ignored := range []string{"workflow", "branch", "event", "status", "limit", "json"} {
		flags.String(ignored, "", "")
	}
	words, err := arguments(flags, args)
	if err == nil {
		err = signedIn("GH_TOKEN")
	}
	if err != nil {
		return err
	}
	if len(words) < 2 {
		return errUnknown
	}
	switch words[0] + " " + words[1] {
	case "run list":
		return answered("run-list-"+flags.Lookup("branch").Value.String()+"-"+flags.Lookup("event").Value.String(), expression)
	case "run download":
		return download(dir, append(words[2:], name)...)
	case "pr comment":
		data, err := os.ReadFile(body)
		if err != nil {
			return err
		}
		return post(data)
	}
	if words[0] != "api" {
		return errUnknown
	}
	return answered(words[1], expression)
}

func answered(path, expression string) error {
	data, err := answer(path)
	if err != nil {
		return err
	}
	if expression == "" {
		_, err = os.Stdout.Write(data)
		return err
	}
	return filter(os.Stdout, expression, bytes.NewReader(data), false)
}

// download copies an artifact to a directory.
func download(dir string, elem ...string) error {
	from := filepath.Join(append([]string{os.Getenv(Variable), "artifacts"}, elem...)...)
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("no artifact matches any of the names provided: %w", err)
	}
	return os.CopyFS(dir, os.DirFS(from))
}

// glab is GitLab's program, as far as the example uses it.
func glab(args []string) error {
	flags := flag.NewFlagSet("glab", flag.ContinueOnError)
	method := flags.String("method", "GET", "")
	field := flags.String("field", "", "")
	flags.Bool("paginate", false, "")
	words, err := arguments(flags, args)
	if err == nil {
		err = signedIn("GITLAB_TOKEN")
	}
	if err != nil {
		return err
	}
	if len(words) != 2 || words[0] != "api" {
		return errUnknown
	}
	if *method == "POST" {
		file, ok := strings.CutPrefix(*field, "body=@")
		if !ok || !strings.HasSuffix(words[1], "/notes") {
			return errUnknown
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return post(data)
	}
	if _, artifact, ok := strings.Cut(words[1], "/jobs/"); ok && strings.Contains(artifact, "/artifacts/") {
		job, path, _ := strings.Cut(artifact, "/artifacts/")
		data, err := os.ReadFile(filepath.Join(os.Getenv(Variable), "artifacts", job, path))
		if err == nil {
			_, err = os.Stdout.Write(data)
		}
		return err
	}
	return answered(words[1], "")
}

// jq filters its standard input.
func jq(args []string) error {
	flags := flag.NewFlagSet("jq", flag.ContinueOnError)
	flags.Bool("r", false, "")
	compact := flags.Bool("c", false, "")
	words, err := arguments(flags, args)
	if err != nil {
		return err
	}
	if len(words) != 1 {
		return errUnknown
	}
	return filter(os.Stdout, words[0], os.Stdin, *compact)
}

// curl fetches an artifact of a branch's newest job; the token has to come on its
// standard input.
func curl(args []string) error {
	flags := flag.NewFlagSet("curl", flag.ContinueOnError)
	config := flags.String("config", "", "")
	output := flags.String("output", "", "")
	for _, ignored := range []string{"fail", "silent", "show-error", "location"} {
		flags.Bool(ignored, false, "")
	}
	words, err := arguments(flags, args)
	if err != nil {
		return err
	}
	if len(words) != 1 || *config != "-" {
		return errUnknown
	}
	header, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(header), `header = "JOB-TOKEN: `) {
		return errors.New("no token came on standard input")
	}
	u, err := url.Parse(words[0])
	if err != nil {
		return err
	}
	_, path, _ := strings.Cut(u.Path, "/jobs/artifacts/")
	branch, path, _ := strings.Cut(path, "/raw/")
	data, err := os.ReadFile(filepath.Join(os.Getenv(Variable), "artifacts", branch, u.Query().Get("job"), path))
	if err != nil {
		return err
	}
	return os.WriteFile(*output, data, 0o600)
}
