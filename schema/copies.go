package schema

import "fmt"

var copiesAttr = attrSpec{name: "copies", typ: "list of repositories' names",
	doc:    "Where it is kept, in place of repository: the backup counts once each of them holds it, verified. It is taken once and stored in the first of them that can be used; the others get copies of what is stored there, and so does one that was out of reach, as long as the backup is younger than max_age. A restore takes the first that serves. Where the recipients of two of them differ, the one that is copied from needs an identity, which the runs of a schedule do not have.",
	misuse: []string{"a repository that is not declared, or that stands twice", "fewer than two", "where the block has a schedule, other recipients than the first has: a warning"}}

// Places are the names of the repositories that hold the backup, in the order in
// which they are tried.
func (b *Backup) Places() []string {
	if len(b.Copies) > 0 {
		return b.Copies
	}
	return []string{b.Repository}
}

// HasPlace tells whether a repository is one of those.
func (b *Backup) HasPlace(name string) bool {
	for _, p := range b.Places() {
		if p == name {
			return true
		}
	}
	return false
}

func (l *loader) readCopies(c *content, out *Backup, at *backupPlaces) {
	f := l.strs(c, "copies", scope{})
	const remedy = `Write repository = "…", or copies = ["…", "…"].`
	_, one := c.attrs["repository"]
	switch {
	case f.present && one:
		l.err(f.at, "Both repository and copies", "A backup is kept in one repository, or in each of copies.", "Keep one of the two.")
	case !f.present && !one && !c.meant["repository"] && !c.meant["copies"] && !l.brokenFile[c.def.Filename]:
		l.err(c.def, "Neither repository nor copies", fmt.Sprintf("%s does not say where it is kept.", c.title()), remedy)
	case f.ok && len(f.val) < 2:
		l.err(f.at, "Fewer than two copies", "copies names the repositories that all hold the backup.", remedy)
	}
	if !f.ok || one {
		return
	}
	seen := map[string]bool{}
	for i, name := range f.val {
		place := itemRange(c.attrs["copies"].Expr, i, len(f.val))
		if seen[name] {
			l.err(place, "Repository that stands twice", fmt.Sprintf("%q is named twice: two copies in one place are one.", name), "Remove one.")
			continue
		}
		seen[name] = true
		out.Copies, at.copies = append(out.Copies, name), append(at.copies, place)
	}
	if len(out.Copies) > 0 {
		out.Repository = out.Copies[0]
	}
}

// checkCopies looks whether the repositories of copies are declared.
func (l *loader) checkCopies(b Backup, at backupPlaces) {
	for i, name := range b.Copies {
		if len(l.repositoryBlocks(name)) == 0 && !l.broken {
			l.err(at.copies[i], "Unknown repository", fmt.Sprintf("No repository %q is declared.", name),
				l.suggestOr(name, l.repositoryLabels(), fmt.Sprintf("Declare it: repository %q { … }.", name)))
		}
	}
}
