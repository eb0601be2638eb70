package schema

// LanguageVersion is the version of the form of Language.
const LanguageVersion = 1

// Language is the whole language as data, for editors and other programs.
type Language struct {
	FormatVersion int           `json:"format_version"`
	Blocks        []BlockDoc    `json:"blocks"`
	Functions     []FunctionDoc `json:"functions"`
}

// BlockDoc describes a block.
type BlockDoc struct {
	Name        string         `json:"name"`
	Label       string         `json:"label,omitempty"` // what the label is; empty where the block has none
	Count       string         `json:"count"`
	Required    bool           `json:"required,omitempty"` // as a nested block
	AnyName     bool           `json:"any_attribute,omitempty"`
	Description string         `json:"description"`
	Refused     []string       `json:"refused,omitempty"`
	Attributes  []AttributeDoc `json:"attributes,omitempty"`
	Blocks      []BlockDoc     `json:"blocks,omitempty"`
	Example     string         `json:"example,omitempty"`
}

// AttributeDoc describes an attribute.
type AttributeDoc struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Required    bool     `json:"required,omitempty"`
	Default     string   `json:"default,omitempty"`
	Sensitive   bool     `json:"may_be_sensitive,omitempty"`
	Description string   `json:"description"`
	Refused     []string `json:"refused,omitempty"`
}

// FunctionDoc describes a function.
type FunctionDoc struct {
	Name        string `json:"name"`
	Call        string `json:"call"`
	Description string `json:"description"`
}

// Describe gives the language, from the same tables that configurations are
// read by.
func Describe() Language {
	l := Language{FormatVersion: LanguageVersion}
	for _, s := range topLevel {
		l.Blocks = append(l.Blocks, describe(s))
	}
	for _, name := range referenceFunctions() {
		doc := functionDocs[name]
		l.Functions = append(l.Functions, FunctionDoc{name, doc[0], doc[1]})
	}
	return l
}

func describe(s *blockSpec) BlockDoc {
	b := BlockDoc{Name: s.name, Label: s.label, Count: s.count, Required: s.required, AnyName: s.free,
		Description: sentences(s.doc, s.effect), Refused: s.misuse, Example: s.example}
	for _, a := range s.attrs {
		b.Attributes = append(b.Attributes, AttributeDoc{a.name, a.typ, a.required, a.def, a.secret, sentences(a.doc, a.effect), a.misuse})
	}
	for _, n := range s.blocks {
		b.Blocks = append(b.Blocks, describe(n))
	}
	return b
}
