package pages

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Page is one Markdown file.
type Page struct {
	File    string // as it was given
	Blocks  []Block
	Links   []Link
	Anchors map[string]bool // fragments that links may name, without #
	Inline  []Code          // what stands in backticks in the text
}

// Block is a fenced block.
type Block struct {
	Line int    // of the opening fence, from 1
	Lang string // "sh", "hcl", "text", "go" or "make"
	// Mark is the text of an HTML comment on the line before the fence, which
	// readers of the page do not see; empty where there is none.
	Mark string
	Text string // with the last newline
}

// Code is a piece of inline code.
type Code struct {
	Line int
	Text string
}

// Link is the target of a link or image.
type Link struct {
	Line   int
	Target string
}

var (
	comment   = regexp.MustCompile(`^<!-- (.*) -->$`)
	inline    = regexp.MustCompile("`([^`]+)`")
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading   = regexp.MustCompile(`^#{1,6} (.*)$`)
	notInSlug = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// Read reads one page. An unclosed block is an error.
func Read(file string) (Page, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return Page{}, err
	}
	p := Page{File: file, Anchors: map[string]bool{}}
	lines := strings.Split(string(data), "\n")
	seen := map[string]int{}
	for i := 0; i < len(lines); i++ {
		if lang, ok := strings.CutPrefix(lines[i], "```"); ok {
			b := Block{Line: i + 1, Lang: lang}
			if i > 0 {
				if m := comment.FindStringSubmatch(lines[i-1]); m != nil {
					b.Mark = m[1]
				}
			}
			for i++; i < len(lines) && lines[i] != "```"; i++ {
				b.Text += lines[i] + "\n"
			}
			if i == len(lines) {
				return Page{}, fmt.Errorf("%s:%d: the block is not closed", file, b.Line)
			}
			p.Blocks = append(p.Blocks, b)
			continue
		}
		p.line(i+1, lines[i], seen)
	}
	return p, nil
}

// line reads a line outside of blocks.
func (p *Page) line(number int, text string, seen map[string]int) {
	if m := heading.FindStringSubmatch(text); m != nil {
		slug := Slug(m[1])
		anchor := slug
		if n := seen[slug]; n > 0 {
			anchor = fmt.Sprintf("%s-%d", slug, n)
		}
		seen[slug]++
		p.Anchors[anchor] = true
	}
	for _, m := range inline.FindAllStringSubmatch(text, -1) {
		p.Inline = append(p.Inline, Code{number, m[1]})
	}
	for _, m := range link.FindAllStringSubmatch(inline.ReplaceAllString(text, "code"), -1) {
		p.Links = append(p.Links, Link{number, m[1]})
	}
}

// Slug is the anchor that a heading gets: lower case, without punctuation,
// blanks as hyphens.
func Slug(heading string) string {
	return strings.ReplaceAll(notInSlug.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

// Marked gives the page's block with that mark, which must be the only one.
func (p Page) Marked(mark string) (Block, error) {
	var found []Block
	for _, b := range p.Blocks {
		if b.Mark == mark {
			found = append(found, b)
		}
	}
	if len(found) != 1 {
		return Block{}, fmt.Errorf("%s has %d blocks marked %q, want one", p.File, len(found), mark)
	}
	return found[0], nil
}

// All reads every page below a directory.
func All(root string) ([]Page, error) {
	var list []Page
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "bin" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		p, err := Read(path)
		list = append(list, p)
		return err
	})
	return list, err
}
