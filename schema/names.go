package schema

import (
	"fmt"
	"regexp"

	"github.com/hashicorp/hcl/v2"
)

// namePattern is for names that become directories, objects and lines on a
// screen.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

const nameRemedy = "Use up to 63 letters, digits, dots, hyphens and underscores, beginning with a letter or digit."

func (l *loader) goodName(name string, at hcl.Range) bool {
	if namePattern.MatchString(name) {
		return true
	}
	l.err(at, "Bad name", fmt.Sprintf("%q can't be a name: it becomes a part of paths and commands.", name), nameRemedy)
	return false
}
