package forgetest

import (
	"fmt"
	"regexp"
	"strings"
)

var placeholder = regexp.MustCompile(`\$\{\{ *([^} ]+) *\}\}`)

// fill puts values into a text's ${{ … }}; what is not known is empty, as a secret is
// in a job that gets none.
func fill(text string, values map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		return values[placeholder.FindStringSubmatch(found)[1]]
	})
}

// holds evaluates a condition: comparisons that are joined by &&. Of functions it knows
// those that say what happens after a failure.
func holds(condition string, values map[string]string) (bool, error) {
	for _, term := range strings.Split(condition, " && ") {
		term = strings.TrimSpace(term)
		if term == "always()" || term == "!cancelled()" {
			continue
		}
		words := strings.Fields(term)
		if len(words) != 3 || words[1] != "==" && words[1] != "!=" {
			return false, fmt.Errorf("the condition %q is none that is known here", term)
		}
		if (operand(words[0], values) == operand(words[2], values)) != (words[1] == "==") {
			return false, nil
		}
	}
	return true, nil
}

func operand(word string, values map[string]string) string {
	if text := strings.Trim(word, `'"`); text != word {
		return text
	}
	return values[strings.TrimPrefix(word, "$")]
}
