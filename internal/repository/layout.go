package repository

import (
	"fmt"
	"regexp"
	"strings"
)

const (
	manifestName = "manifest.json"
	lockDir      = "lock"
	plainSuffix  = ".zst"
	cipherSuffix = ".zst.age"
	// FormatVersion is the version of manifests that this program writes, and
	// the highest that it reads.
	FormatVersion = 1
)

// names are what a cluster's label and an object's name may be: a part of a
// path on every file system, and of a URL without escapes.
var names = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

func checkName(kind, name string) error {
	if !names.MatchString(name) {
		return fmt.Errorf("%s %q can't be stored: only letters, digits, '.', '_' and '-' are allowed, at most 128, and no leading '.' or '-'", kind, name)
	}
	return nil
}

func checkCluster(name string) error {
	if err := checkName("cluster label", name); err != nil {
		return err
	}
	if strings.HasSuffix(name, ".tmp") {
		return fmt.Errorf("cluster label %q can't be stored: .tmp is the ending of unfinished files", name)
	}
	return nil
}

// checkObject accepts the name that Put takes: "swarm.tar", "volume-pgdata.tar".
func checkObject(name string) error {
	if err := checkName("object", name); err != nil {
		return err
	}
	if !strings.HasSuffix(name, ".tar") {
		return fmt.Errorf("object %q can't be stored: its name must end in .tar", name)
	}
	return nil
}

// storedName is an object's name in the repository.
func storedName(name string, plaintext bool) string {
	if plaintext {
		return name + plainSuffix
	}
	return name + cipherSuffix
}

// plainName is the name that Put took, of a stored name or of itself.
func plainName(stored string) string {
	return strings.TrimSuffix(strings.TrimSuffix(stored, ".age"), plainSuffix)
}

func isStoredName(name string) bool {
	return checkObject(plainName(name)) == nil &&
		(strings.HasSuffix(name, plainSuffix) || strings.HasSuffix(name, cipherSuffix))
}

func (r *Repository) clusterPrefix() string { return r.cluster + "/" }

func (r *Repository) backupPrefix(id string) string { return r.cluster + "/" + id + "/" }

func (r *Repository) key(id, name string) string { return r.backupPrefix(id) + name }

func (r *Repository) lockPrefix() string { return r.cluster + "/" + lockDir + "/" }

// unfinished matches the names that fileblob gives to files being written; a
// process that was killed leaves them.
var unfinished = regexp.MustCompile(`\.[0-9a-f]+\.tmp$`)
