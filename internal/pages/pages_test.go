package pages

import (
	"os"
	"path/filepath"
	"testing"
)

const sample = "# A page: `x` and y\n\nSee [there](other.md#part-1) and `not [a](link)`.\n\n<!-- run: here -->\n```sh\n# no heading\n[no](link)\n```\n\n## Part\n\n## Part\n"

func TestRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.md")
	if err := os.WriteFile(file, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, anchor := range []string{"a-page-x-and-y", "part", "part-1"} {
		if !p.Anchors[anchor] {
			t.Errorf("no anchor %s in %v", anchor, p.Anchors)
		}
	}
	if len(p.Anchors) != 3 || len(p.Links) != 1 || p.Links[0].Target != "other.md#part-1" || p.Links[0].Line != 3 {
		t.Errorf("anchors %v, links %v", p.Anchors, p.Links)
	}
	b, err := p.Marked("run: here")
	if err != nil || b.Lang != "sh" || b.Line != 6 || b.Text != "# no heading\n[no](link)\n" {
		t.Errorf("block %+v, %v", b, err)
	}
	if _, err := p.Marked("else"); err == nil {
		t.Error("a mark that is not there was found")
	}
	if len(p.Inline) != 2 {
		t.Errorf("inline code %v", p.Inline)
	}
}

func TestUnclosedBlock(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.md")
	if err := os.WriteFile(file, []byte("text\n\n```sh\nls\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(file); err == nil {
		t.Error("a block that is not closed was read")
	}
}
