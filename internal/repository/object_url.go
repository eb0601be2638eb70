package repository

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// place is what a URL of an object storage says.
type place struct {
	bucket string
	prefix string // "" or "some/path/"
	query  url.Values
}

// secretive are words of parameters that carry credentials.
var secretive = regexp.MustCompile(`(?i)secret|passw|token|signature|credential|access_?(key|id)|account_?key|private|^sig$|^sas|api_?key`)

// objectPlace reads a URL. Only the parameters that are named are known, so
// that none is silently without effect, and none can carry a key: a URL stands
// in a file that is kept in git, and in messages.
func objectPlace(raw string, u *url.URL, known ...string) (place, error) {
	example := u.Scheme + "://my-bucket/swarm"
	switch {
	case u.User != nil:
		return place{}, badURL(raw, "the URL holds a user or password", "take it out, and count it as known to others; credentials come from their usual places, see the reference of repository")
	case u.Opaque != "" || u.Hostname() == "":
		return place{}, badURL(raw, "the URL names no bucket", "write it as "+example)
	case u.Port() != "" || strings.ContainsAny(u.Host, ":[]%"):
		return place{}, badURL(raw, "the name after :// is the bucket's, and no server's", "write it as "+example+"; an S3 server of your own is named by ?endpoint=https://…")
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return place{}, badURL(raw, "the URL has a fragment", "leave out what follows the #")
	}
	prefix := strings.Trim(u.Path, "/")
	if prefix != "" && (path.Clean(prefix) != prefix || strings.HasPrefix(prefix, "..") || strings.ContainsFunc(prefix, odd)) {
		return place{}, badURL(raw, "the path is not in its plainest form", "use letters, digits, '.', '_' and '-' between single slashes")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return place{}, badURL(raw, "the parameters can't be read", "write them as ?name=value&name=value")
	}
	if err := checkParameters(raw, query, known); err != nil {
		return place{}, err
	}
	if prefix != "" {
		prefix += "/"
	}
	return place{bucket: u.Host, prefix: prefix, query: query}, nil
}

func odd(r rune) bool {
	return !strings.ContainsRune("/._-", r) && !(r >= '0' && r <= '9') && !(r >= 'a' && r <= 'z') && !(r >= 'A' && r <= 'Z')
}

func checkParameters(raw string, query url.Values, known []string) error {
	var names []string
	for name := range query {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		switch {
		case slices.Contains(known, name) && len(query[name]) == 1:
		case slices.Contains(known, name):
			return badURL(raw, fmt.Sprintf("the parameter %s stands more than once", name), "keep one of them")
		case secretive.MatchString(name):
			return badURL(raw, fmt.Sprintf("the parameter %q could hold a key, and a URL is no place for one", name),
				"take it out, and count it as known to others; credentials come from their usual places, see the reference of repository")
		case name == "prefix":
			return badURL(raw, "the parameter prefix is not known", "write it as the path: "+redact(raw[:strings.IndexByte(raw, '?')])+"/prefix")
		case len(known) == 0:
			return badURL(raw, "this kind of URL takes no parameters", "leave out what follows the ?")
		default:
			return badURL(raw, fmt.Sprintf("the parameter %q is not known", name), "known are "+strings.Join(known, ", "))
		}
	}
	return nil
}

// yes reads a parameter that is true or false.
func (p place) yes(raw, name string, unset bool) (bool, error) {
	switch p.query.Get(name) {
	case "":
		return unset, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, badURL(raw, "the parameter "+name+" is neither true nor false", "write one of the two")
}
