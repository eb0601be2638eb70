package diag

import (
	"fmt"
	"strings"
)

// Reference is the table of codes as the documentation page codes.md; a test
// fails when the page is stale.
func Reference() string {
	var b strings.Builder
	b.WriteString("# RQ codes\n\nGenerated from the table in codes.go; don't edit it by hand.\n\n" +
		"- **refusal**: a goal is not reached by the plan, or a run does not begin; other goals go on.\n" +
		"- **destructive**: must be approved, by digest, by code, or by typing the cluster's name.\n" +
		"- **hazard**: to know before approving.\n" +
		"- **notice**: shown, no more.\n")
	for _, c := range Codes() {
		fmt.Fprintf(&b, "\n## %s: %s\n\n*%s.* %s\n\n**What to do:** %s\n", c.ID, c.Title, c.Class, c.Meaning, c.Remedy)
	}
	return b.String()
}
