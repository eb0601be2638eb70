package schema

import (
	"errors"
	"io/fs"
	"maps"
	"strings"
	"sync"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// pure are the functions that depend on their arguments alone. None of them
// reads a clock or is random: one configuration has one meaning.
var pure = map[string]function.Function{
	"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": stdlib.LogFunc,
	"max": stdlib.MaxFunc, "min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "pow": stdlib.PowFunc,
	"signum": stdlib.SignumFunc,

	"chomp": stdlib.ChompFunc, "endswith": affix(strings.HasSuffix), "format": stdlib.FormatFunc,
	"formatlist": stdlib.FormatListFunc, "indent": stdlib.IndentFunc, "join": stdlib.JoinFunc,
	"lower": stdlib.LowerFunc, "regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc,
	"replace": stdlib.ReplaceFunc, "split": stdlib.SplitFunc, "startswith": affix(strings.HasPrefix),
	"strcontains": affix(strings.Contains), "strlen": stdlib.StrlenFunc, "strrev": stdlib.ReverseFunc,
	"substr": stdlib.SubstrFunc, "title": stdlib.TitleFunc, "trim": stdlib.TrimFunc,
	"trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc, "trimsuffix": stdlib.TrimSuffixFunc,
	"upper": stdlib.UpperFunc,

	"chunklist": stdlib.ChunklistFunc, "coalesce": stdlib.CoalesceFunc, "coalescelist": stdlib.CoalesceListFunc,
	"compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc,
	"distinct": stdlib.DistinctFunc, "element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc,
	"index": stdlib.IndexFunc, "keys": stdlib.KeysFunc, "length": lengthFunc, "lookup": stdlib.LookupFunc,
	"merge": stdlib.MergeFunc, "range": stdlib.RangeFunc, "reverse": stdlib.ReverseListFunc,
	"setintersection": stdlib.SetIntersectionFunc, "setproduct": stdlib.SetProductFunc,
	"setsubtract": stdlib.SetSubtractFunc, "setunion": stdlib.SetUnionFunc, "slice": stdlib.SliceFunc,
	"sort": stdlib.SortFunc, "values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

	"csvdecode": stdlib.CSVDecodeFunc, "jsondecode": stdlib.JSONDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc,

	"tobool": stdlib.MakeToFunc(cty.Bool), "tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
	"tomap": stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)), "tonumber": stdlib.MakeToFunc(cty.Number),
	"toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)), "tostring": stdlib.MakeToFunc(cty.String),

	"cidrhost": cidrHostFunc, "cidrnetmask": cidrNetmaskFunc, "cidrsubnet": cidrSubnetFunc,
	"cidrsubnets": cidrSubnetsFunc,

	"alltrue": boolsFunc(false), "anytrue": boolsFunc(true), "matchkeys": matchKeysFunc, "one": oneFunc, "sum": sumFunc,
	"transpose": transposeFunc, "formatdate": stdlib.FormatDateFunc, "timeadd": stdlib.TimeAddFunc,
}

// lengthFunc is cty's for collections, and counts the characters of a text.
var lengthFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowUnknown: true, AllowMarked: true}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		switch t := args[0].Type(); {
		case t == cty.DynamicPseudoType:
			return cty.UnknownVal(cty.Number).WithSameMarks(args[0]), nil
		case t == cty.String:
			return stdlib.Strlen(args[0])
		}
		return stdlib.Length(args[0])
	},
})

// affix makes a function of two texts.
func affix(test func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "str", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(test(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

var guardedPure = sync.OnceValue(func() map[string]function.Function {
	out := make(map[string]function.Function, len(pure)+len(textFuncs))
	for name, f := range textFuncs {
		out[name] = guarded(f)
	}
	for name, f := range pure {
		out[name] = guarded(f)
	}
	return out
})

// newFunctions are the functions of one Load.
func (l *loader) newFunctions() map[string]function.Function {
	out := map[string]function.Function{
		"try": l.tryFunc(), "can": l.canFunc(),
		"env": guarded(l.envFunc()), "file": guarded(l.fileFunc()), "fileexists": guarded(l.fileExistsFunc()),
		"sensitive": l.sensitiveFunc(), "nonsensitive": l.nonsensitiveFunc(), "issensitive": isSensitiveFunc,
	}
	maps.Copy(out, guardedPure())
	return out
}

// guarded is f with errors that do not tell its arguments' values where one of
// them is sensitive.
func guarded(f function.Function) function.Function {
	open := func(p function.Parameter) function.Parameter {
		p.AllowMarked, p.AllowUnknown, p.AllowNull, p.AllowDynamicType = true, true, true, true
		return p
	}
	spec := &function.Spec{Description: f.Description()}
	for _, p := range f.Params() {
		spec.Params = append(spec.Params, open(p))
	}
	if p := f.VarParam(); p != nil {
		v := open(*p)
		spec.VarParam = &v
	}
	spec.Type = func(args []cty.Value) (cty.Type, error) {
		t, err := f.ReturnTypeForValues(args)
		return t, withhold(err, args)
	}
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v, err := f.Call(args)
		return v, withhold(err, args)
	}
	return function.New(spec)
}

func withhold(err error, args []cty.Value) error {
	if err == nil {
		return nil
	}
	for _, a := range args {
		if !a.HasMarkDeep(sensitiveMark{}) {
			continue
		}
		const why = "the reason is not shown, because it would tell a sensitive value"
		var arg function.ArgError
		if errors.As(err, &arg) {
			return function.NewArgErrorf(arg.Index, why)
		}
		return errors.New(why)
	}
	return err
}

// envFunc is env(name): sensitive, and unknown where the variable is not set.
func (l *loader) envFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "name", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			if name == "" || strings.ContainsAny(name, "=\x00") {
				return cty.NilVal, function.NewArgErrorf(0, "%q can't be an environment variable's name", name)
			}
			l.asked(name)
			v, set := l.environ[name]
			if !set {
				return cty.UnknownVal(cty.String).Mark(sensitiveMark{}).Mark(unsetEnv(name)), nil
			}
			return l.secret(cty.StringVal(v)), nil
		},
	})
}

// fileFunc is file(path): the text of a file, sensitive.
func (l *loader) fileFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := l.readText(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return l.secret(cty.StringVal(text)), nil
		},
	})
}

// fileExistsFunc is fileexists(path). Like a file's text its answer is in no
// digest, so it is sensitive: it may choose a secret, not what is planned.
func (l *loader) fileExistsFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			_, err := l.readText(args[0].AsString())
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.BoolVal(err == nil).Mark(sensitiveMark{}), nil
		},
	})
}

var isSensitiveFunc = function.New(&function.Spec{
	Params: []function.Parameter{anyParam("value")},
	Type:   function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		return cty.BoolVal(args[0].HasMarkDeep(sensitiveMark{})), nil
	},
})

func anyParam(name string) function.Parameter {
	return function.Parameter{Name: name, Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowNull: true, AllowUnknown: true, AllowMarked: true}
}

func sameType(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil }

func (l *loader) sensitiveFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{anyParam("value")}, Type: sameType,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return l.secret(args[0]), nil },
	})
}

// nonsensitiveFunc takes the mark off. What it lets through becomes a part of
// the configuration's digest: it is not in the files, and it may be shown.
func (l *loader) nonsensitiveFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{anyParam("value")}, Type: sameType,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, paths := args[0].UnmarkDeepWithPaths()
			hidden := false
			for i := range paths {
				marks := cty.ValueMarks{}
				for m := range paths[i].Marks {
					if m == (sensitiveMark{}) {
						hidden = true
						continue
					}
					marks[m] = struct{}{}
				}
				paths[i].Marks = marks
			}
			if hidden {
				l.reveal(v)
			}
			return v.MarkWithPaths(paths), nil
		},
	})
}

// secret marks a value as sensitive and remembers the texts in it, so that
// they can be taken out of a diagnostic that should never have held them.
func (l *loader) secret(v cty.Value) cty.Value {
	plain, _ := v.UnmarkDeep()
	_ = cty.Walk(plain, func(_ cty.Path, v cty.Value) (bool, error) {
		if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
			for _, s := range []string{v.AsString(), strings.TrimSpace(v.AsString())} {
				l.secrets = append(l.secrets, s)
			}
		}
		return true, nil
	})
	return v.Mark(sensitiveMark{})
}

// reveal notes a value that nonsensitive() let through, for the digest, and
// forgets that it was secret.
func (l *loader) reveal(v cty.Value) {
	if !v.IsWhollyKnown() {
		return
	}
	if text, err := ctyjson.Marshal(v, v.Type()); err == nil {
		l.revealed[string(text)] = true
	}
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		if v.Type() == cty.String && !v.IsNull() {
			l.shown[v.AsString()] = true
		}
		return true, nil
	})
}
