package schema

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// goodDataName reports a label that would make a name on the host that is already
// taken: what a restore unpacks lies beside the place of the data, under a name that
// ends in the label and .new, or has .part. behind the label.
func (l *loader) goodDataName(name string, at hcl.Range) bool {
	if strings.HasSuffix(name, ".new") || strings.Contains("."+name, ".part.") {
		l.err(at, "Bad name", fmt.Sprintf("%q can't be the name of data: on a host, .new and .part. mark what a restore has unpacked.", name), "Write - in place of the dot.")
		return false
	}
	return true
}
