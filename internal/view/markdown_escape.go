package view

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Text from outside (names, labels, engines' errors, reasons that quote them) goes
// into markdown by prose and code alone. Both keep it from being markup of any kind,
// and from being what a forge makes of words: mentions that notify people, references
// to issues and commits, links, quick actions, emoji. Words that could be one of those
// are set as code, in which a forge looks for nothing, and so can still be copied.

// prose is a text as a part of a paragraph or table cell, at most limit bytes of it,
// so that it never is cut within a character or a word's markup.
func prose(text string, limit int) string {
	const longest = 200
	var b strings.Builder
	for _, word := range strings.Fields(plain(text)) {
		set := proseWord(clip(word, longest))
		if b.Len() > 0 {
			set = " " + set
		}
		if b.Len()+len(set)+len(" …") > limit {
			return strings.TrimSpace(b.String() + " …")
		}
		b.WriteString(set)
	}
	return b.String()
}

// proseWord sets one word, with the punctuation around it outside of what is code.
func proseWord(word string) string {
	if harmless(word) {
		return word
	}
	const around = `.,;:()"'`
	inner := strings.Trim(word, around)
	if inner == "" {
		return entities(word)
	}
	at := strings.Index(word, inner)
	before, after := word[:at], word[at+len(inner):]
	return entities(before) + code(inner) + entities(after)
}

// code is a text as inline code, cut to what a name may have. A code span holds its
// text as it is; one with a backtick, which would end it, or a bar, which would end a
// table's cell, is written in character references instead.
func code(text string) string {
	const longest = 120
	text = strings.TrimSpace(clip(plain(text), longest))
	switch {
	case text == "":
		return "-"
	case !strings.ContainsAny(text, "`|"):
		return "`" + text + "`"
	}
	// What a reader would make a link of is broken up.
	set := strings.ReplaceAll(entities(text), "&#64;", "&#64;<wbr>")
	return "<code>" + strings.ReplaceAll(set, "ww", "w<wbr>w") + "</code>"
}

// entities writes all that could be markup as a character reference: those are text
// to every reader of markdown, wherever they stand.
func entities(text string) string {
	var b strings.Builder
	for _, r := range text {
		if isWordRune(r) || strings.ContainsRune(" .,;()=", r) {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, "&#%d;", r)
	}
	return b.String()
}

// isWordRune tells whether a character is a letter or digit, which no reader takes
// for markup.
func isWordRune(r rune) bool {
	return r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') || r >= 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '…')
}

var (
	// reference are words which forges link: GH-12, ABC-12, and commits by their hash.
	reference = regexp.MustCompile(`^(?:[A-Za-z][A-Za-z0-9]*-[0-9]+|[0-9a-fA-F]{7,})$`)
	emoji     = regexp.MustCompile(`:(?:[0-9]*[A-Za-z+-][A-Za-z0-9+-]*|100|1234):`)
)

// harmless tells whether a word may stand in a paragraph as it is.
func harmless(word string) bool {
	for i, r := range word {
		switch {
		case isWordRune(r) || strings.ContainsRune(`.,;:()'"=`, r):
		case r == '%' && i > 0 && word[i-1] >= '0' && word[i-1] <= '9':
		case r == '-' && i > 0:
		case r == '/' && i > 0 && i < len(word)-1:
		default:
			return false
		}
	}
	lower := strings.ToLower(word)
	return !strings.Contains(lower, "http") && !strings.Contains(lower, "www.") &&
		!reference.MatchString(strings.Trim(word, `.,;:()'"`)) && !emoji.MatchString(word)
}
