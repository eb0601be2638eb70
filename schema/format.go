package schema

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/requeen/requeen/internal/diag"
)

// IsSource tells by its name whether a file is one that Format is for: a
// *.rq.hcl or a *.rqvars file that is not hidden.
func IsSource(name string) bool {
	base := filepath.Base(name)
	return !strings.HasPrefix(base, ".") && (strings.HasSuffix(base, configSuffix) || strings.HasSuffix(base, varsSuffix))
}

// MayHoldSecrets tells by its name whether a file's lines are not to be shown,
// as those of files with variables' values.
func MayHoldSecrets(name string) bool { return strings.HasSuffix(name, varsSuffix) }

const varsSuffix = ".rqvars"

// Format brings a file into its canonical form, which Format leaves as it is:
// indented and aligned by HCL's own rules, lines that end in \n, none blank at
// either end. Nothing but white space between the tokens is changed. Source
// with a syntax error is refused; name is what the diagnostics call the file.
func Format(name string, src []byte) ([]byte, diag.Diagnostics) {
	l := newLoader(Options{})
	l.src[name] = src
	l.hidden[name] = MayHoldSecrets(name)
	if at := invalidUTF8(src); at >= 0 {
		l.notUTF8(name, src, at)
		return nil, l.finish()
	}
	l.parse(name, src)
	l.addSyntax()
	if ds := l.finish(); ds.HasErrors() {
		return nil, ds
	}
	out, err := canonical(name, src)
	if err != nil {
		l.errFile(name, "File that can't be formatted", err.Error()+".", "Please report it with the file, without its secrets; the file can be used as it is.")
		return nil, l.finish()
	}
	return out, nil
}

// maxPasses bounds the passes until nothing changes: HCL's formatter may need
// two where a comment follows what it moved.
const maxPasses = 8

func canonical(name string, src []byte) ([]byte, error) {
	out := unixLines(name, src)
	for range maxPasses {
		next := trimLines(hclwrite.Format(out))
		if !sameTokens(name, src, next) {
			return nil, errors.New("formatting would change more than white space")
		}
		if bytes.Equal(next, out) {
			return out, nil
		}
		out = next
	}
	return nil, errors.New("formatting comes to no end")
}

// unixLines ends lines in \n, except within heredocs, whose values hold their
// lines' ends. A byte order mark goes too.
func unixLines(name string, src []byte) []byte {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	if !bytes.Contains(src, []byte("\r\n")) {
		return src
	}
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	var b bytes.Buffer
	last := 0
	for _, t := range tokens {
		b.Write(src[last:t.Range.Start.Byte])
		text := src[t.Range.Start.Byte:t.Range.End.Byte]
		if t.Type == hclsyntax.TokenNewline || t.Type == hclsyntax.TokenComment {
			text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		}
		b.Write(text)
		last = t.Range.End.Byte
	}
	b.Write(src[last:])
	return b.Bytes()
}

// trimLines takes blank lines away from both ends; what is not empty ends with
// a newline.
func trimLines(src []byte) []byte {
	src = bytes.TrimLeft(src, "\n")
	end := bytes.TrimRight(src, " \t\n")
	if len(end) == 0 {
		return nil
	}
	return append(bytes.Clone(end), '\n')
}

// sameTokens tells whether two sources are one but for white space.
func sameTokens(name string, a, b []byte) bool {
	x, y := meaningful(name, a), meaningful(name, b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] {
			return false
		}
	}
	return true
}

type lexeme struct {
	kind hclsyntax.TokenType
	text string
}

// meaningful are the tokens of a source, without blank lines.
func meaningful(name string, src []byte) []lexeme {
	tokens, _ := hclsyntax.LexConfig(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), name, hcl.InitialPos)
	var out []lexeme
	for _, t := range tokens {
		text := string(t.Bytes)
		switch t.Type {
		case hclsyntax.TokenEOF:
			continue
		case hclsyntax.TokenNewline:
			if len(out) == 0 || out[len(out)-1].text == "\n" {
				continue
			}
			text = "\n"
		case hclsyntax.TokenComment:
			text = strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), " \t\n")
		}
		out = append(out, lexeme{t.Type, text})
	}
	for len(out) > 0 && out[len(out)-1].text == "\n" {
		out = out[:len(out)-1]
	}
	return out
}
