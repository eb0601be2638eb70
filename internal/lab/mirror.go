package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// defaultKeyring is Debian's, where a source names none.
const defaultKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// machineMirror is the mirror that this machine is configured to use.
func machineMirror() (uri, keyring string, err error) {
	var texts []string
	files, _ := filepath.Glob("/etc/apt/sources.list.d/*")
	for _, f := range append([]string{"/etc/apt/sources.list"}, files...) {
		if ext := filepath.Ext(f); ext != ".list" && ext != ".sources" {
			continue
		}
		data, err := os.ReadFile(f)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", "", err
		}
		texts = append(texts, string(data))
	}
	for _, t := range texts {
		if uri, keyring = findMirror(t, wantedRelease); uri != "" {
			return uri, keyring, nil
		}
	}
	return "", "", fmt.Errorf("no package source for %s is configured in /etc/apt, and a newer engine is fetched from the same mirror", wantedRelease)
}

// findMirror looks for a suite in a file of package sources, of either kind.
func findMirror(text, suite string) (uri, keyring string) {
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		fields := map[string][]string{}
		for line := range strings.Lines(paragraph) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "#") {
				continue
			}
			if strings.HasPrefix(line, "deb ") {
				if uri, keyring := oneLine(line, suite); uri != "" {
					return uri, keyring
				}
				continue
			}
			if key, value, ok := strings.Cut(line, ":"); ok {
				fields[strings.ToLower(key)] = strings.Fields(value)
			}
		}
		off := slices.Contains(fields["enabled"], "no")
		if !off && slices.Contains(fields["types"], "deb") && slices.Contains(fields["suites"], suite) && len(fields["uris"]) > 0 {
			return fields["uris"][0], keyringOr(fields["signed-by"])
		}
	}
	return "", ""
}

// oneLine reads `deb [options] uri suite component…`.
func oneLine(line, suite string) (uri, keyring string) {
	line = strings.TrimSpace(strings.TrimPrefix(line, "deb "))
	var signed []string
	if rest, ok := strings.CutPrefix(line, "["); ok {
		options, after, _ := strings.Cut(rest, "]")
		for _, o := range strings.Fields(options) {
			if v, ok := strings.CutPrefix(o, "signed-by="); ok {
				signed = []string{v}
			}
		}
		line = after
	}
	f := strings.Fields(line)
	if len(f) < 2 || f[1] != suite {
		return "", ""
	}
	return f[0], keyringOr(signed)
}

func keyringOr(named []string) string {
	if len(named) == 1 && strings.HasPrefix(named[0], "/") {
		return named[0]
	}
	return defaultKeyring
}
