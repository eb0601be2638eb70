package schema

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// urlParameter is one that a repository's URL may carry. That there is no other
// is what keeps keys out of a file that lies in git.
type urlParameter struct {
	name   string
	doc    string
	values []string // what it may be; nil = any text
}

var yesOrNo = []string{"true", "false"}

// bucketSchemes are the object storages, with the parameters of their URLs.
var bucketSchemes = map[string][]urlParameter{
	"s3": {
		{"region", "the bucket's region; default: `AWS_REGION`, the profile's, and with an endpoint `us-east-1`", nil},
		{"endpoint", "the address of an S3 server that is not Amazon's, as `https://s3.example.com:9000`", nil},
		{"use_path_style", "the bucket's name stands in the path and not in the server's name; default: true with an endpoint, else false", yesOrNo},
		{"profile", "the profile in the AWS configuration's files", nil},
		{"role", "the ARN of a role to be assumed", nil},
		{"accelerate", "transfer acceleration", yesOrNo},
		{"dualstack", "addresses of IPv4 and IPv6", yesOrNo},
		{"fips", "FIPS endpoints", yesOrNo},
		{"ssetype", "how the server encrypts what it stores, beside requeen's own encryption", []string{"AES256", "aws:kms", "aws:kms:dsse"}},
		{"kmskeyid", "the ID of its key for that", nil},
		{"request_checksum_calculation", "checksums of requests; default: when_required with an endpoint, else when_supported", []string{"when_supported", "when_required"}},
		{"response_checksum_validation", "checksums of answers; default: as above", []string{"when_supported", "when_required"}},
	},
	"gs":     {},
	"azblob": {{"storage_account", "the storage account; default: `AZURE_STORAGE_ACCOUNT`", nil}},
}

// secretParameter matches names of parameters that carry credentials.
var secretParameter = regexp.MustCompile(`(?i)secret|passw|token|signature|credential|access_?(key|id)|account_?key|private|^sig$|^sas|api_?key`)

const (
	fileRemedy   = "Write file:/// and an absolute path, such as file:///srv/swarm-backups."
	bucketRemedy = "Write the bucket and a path in it, such as %s://my-bucket/swarm."
	secretRemedy = "Take it out, and count it as known to others. Credentials come from their usual places, which the reference of repository names."
)

// checkURL finds what is wrong with a repository's URL without looking at it.
func (l *loader) checkURL(f field[string]) {
	const summary = "Not a repository's URL"
	u, err := url.Parse(f.val)
	if err != nil {
		l.err(f.at, summary, "It can't be read as a URL.", fileRemedy)
		return
	}
	if _, bucket := bucketSchemes[u.Scheme]; bucket {
		l.checkBucketURL(f, u)
		return
	}
	bad := func(why string) { l.err(f.at, summary, fmt.Sprintf("%q: %s.", f.val, why), fileRemedy) }
	switch {
	case u.User != nil:
		l.errHidden(f.at, summary, "It holds a user or password, and a URL is no place for one.", secretRemedy)
	case u.Scheme == "":
		bad("a URL begins with a scheme")
	case u.Scheme != "file":
		bad(fmt.Sprintf("there are no %s:// repositories, only file://, s3://, gs:// and azblob://", u.Scheme))
	case u.Host != "":
		bad("file:// takes no host: three slashes stand before the path")
	case u.Opaque != "" || !path.IsAbs(u.Path):
		bad("the path has to be absolute")
	case u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(f.val, "?#"):
		bad("file:// takes neither a query nor a fragment")
	case path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/") || strings.ContainsRune(u.Path, 0):
		bad("the path is not in its plainest form, or is the root directory")
	}
}

func (l *loader) checkBucketURL(f field[string], u *url.URL) {
	const summary = "Not a repository's URL"
	remedy := fmt.Sprintf(bucketRemedy, u.Scheme)
	bad := func(why string) { l.errHidden(f.at, summary, why+".", remedy) }
	prefix := strings.Trim(u.Path, "/")
	switch {
	case u.User != nil:
		l.errHidden(f.at, summary, "It holds a user or password, and a URL is no place for one.", secretRemedy)
	case u.Opaque != "" || u.Hostname() == "":
		bad("It names no bucket")
	case strings.ContainsAny(u.Host, ":[]%"):
		bad("The name after :// is the bucket's, and no server's; an S3 server of your own is named by the parameter endpoint")
	case u.Fragment != "" || strings.Contains(f.val, "#"):
		bad("It has a fragment, which means nothing here")
	case prefix != "" && (path.Clean(prefix) != prefix || strings.HasPrefix(prefix, "..") || !plainPath.MatchString(prefix)):
		bad("The path is not in its plainest form: letters, digits, '.', '_' and '-' between single slashes")
	default:
		l.checkParameters(f, u)
	}
}

var plainPath = regexp.MustCompile(`^[A-Za-z0-9._/-]*$`)

// checkParameters shows no snippet: a value may be a key, whatever its name.
func (l *loader) checkParameters(f field[string], u *url.URL) {
	const summary = "Not a parameter of a repository's URL"
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		l.errHidden(f.at, summary, "The parameters can't be read.", "Write them as ?name=value&name=value.")
		return
	}
	known := bucketSchemes[u.Scheme]
	for _, name := range keysOf(query) {
		i := slices.IndexFunc(known, func(p urlParameter) bool { return p.name == name })
		switch {
		case i >= 0:
			l.checkParameter(f, known[i], query[name])
		case secretParameter.MatchString(name):
			l.errHidden(f.at, summary, fmt.Sprintf("%q could hold a key, and a URL is no place for one.", name), secretRemedy)
		case name == "prefix":
			l.errHidden(f.at, summary, "A prefix is written as the URL's path.", fmt.Sprintf("Write %s://%s/ and the prefix.", u.Scheme, u.Host))
		case len(known) == 0:
			l.errHidden(f.at, summary, fmt.Sprintf("%q is not known: %s:// takes no parameters.", name, u.Scheme), "Leave it out.")
		default:
			l.errHidden(f.at, summary, fmt.Sprintf("%q is not known.", name), "Known are "+parameterNames(known)+".")
		}
	}
}

func (l *loader) checkParameter(f field[string], p urlParameter, values []string) {
	const summary = "Not a parameter of a repository's URL"
	bad := func(why, remedy string) { l.errHidden(f.at, summary, fmt.Sprintf("%s %s.", p.name, why), remedy) }
	value := values[0]
	switch {
	case len(values) > 1:
		bad("stands more than once", "Keep one of them.")
	case p.values != nil && value != "" && !slices.Contains(p.values, value):
		bad("is of no known kind", "Write "+strings.Join(p.values, " or ")+".")
	case p.name == "role" && value != "" && !strings.HasPrefix(value, "arn:"):
		bad("is not an ARN", "Write it as arn:aws:iam::123456789012:role/name.")
	case p.name == "endpoint" && value != "":
		e, err := url.Parse(value)
		if err != nil || (e.Scheme != "https" && e.Scheme != "http") || e.Host == "" || e.User != nil || e.RawQuery != "" || e.Fragment != "" {
			bad("is not a server's address and nothing more", "Write it as endpoint=https://s3.example.com:9000.")
		}
	}
}

func parameterNames(list []urlParameter) string {
	var names []string
	for _, p := range list {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

// repositoryNotes is the reference's text about the kinds of URLs.
func repositoryNotes() string {
	var b strings.Builder
	b.WriteString(`Kinds of ` + "`url`" + `:

| url | where credentials come from |
|---|---|
| ` + "`file:///absolute/path`" + ` | none: a directory that is another machine's disk, mounted here |
| ` + "`s3://bucket/path?…`" + ` | ` + "`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`" + `, a profile (` + "`AWS_PROFILE`, `~/.aws`" + `), single sign-on, or the role of the machine, container or pod |
| ` + "`gs://bucket/path`" + ` | ` + "`GOOGLE_APPLICATION_CREDENTIALS`, `gcloud auth application-default login`" + `, or the machine's service account |
| ` + "`azblob://container/path?…`" + ` | ` + "`AZURE_STORAGE_KEY`, `AZURE_STORAGE_SAS_TOKEN`, `AZURE_STORAGE_CONNECTION_STRING`, `az login`" + `, or the machine's managed identity; another cloud than the public one: ` + "`AZURE_STORAGE_DOMAIN`" + ` |

A URL never carries credentials: what could be one is refused, and not shown. The bucket has to be there; requeen makes
none. The credentials need the right to list, read, write and remove objects below the path.

| kind | parameter | meaning |
|---|---|---|
`)
	for _, scheme := range []string{"s3", "azblob"} {
		for _, p := range bucketSchemes[scheme] {
			doc := p.doc
			if p.values != nil && !slices.Equal(p.values, yesOrNo) {
				doc += " (`" + strings.Join(p.values, "`, `") + "`)"
			} else if p.values != nil {
				doc += " (`true` or `false`)"
			}
			fmt.Fprintf(&b, "| `%s://` | `%s` | %s |\n", scheme, p.name, doc)
		}
	}
	b.WriteString(`
The lock needs a storage that honours conditional writes (` + "`If-None-Match: *`" + `): Amazon S3, Google Cloud Storage, Azure
Blob Storage and most servers of the S3 kind do. One that does not is found out before a run trusts it, and refused.

An archive is uploaded in parts, with less than 100 MB of memory for any size. One archive, compressed and encrypted, takes
up to 48 GiB at S3, up to 244 GiB at Azure, and any size in a directory and at Google. An upload that comes to that fails,
and nothing of it stays; a copy of a backup with a larger archive is refused before it begins. What is larger is divided
among several volume and directory blocks, each of which is an archive of its own.

An upload that is cut leaves no object. Its parts are ended by a later backup after a day, where the
credentials may list and abort multipart uploads; a lifecycle rule of the bucket's (AbortIncompleteMultipartUpload) does
it in any case. What is silent for two minutes is given up; what is slow is not.

S3 is tested against a real server (versitygw). Google Cloud Storage and Azure Blob Storage pass the same suite at
servers that stand in for theirs, and were not tried against the real services.

`)
	return b.String()
}
