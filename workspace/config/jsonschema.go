package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/workspace"
)

// The JSON Schemas (draft 7, which editors know best), printed from the tables of schema.go. Loader and schema agree but for
// what a schema cannot say, or only by making it unreadable; schema_corpus_test.go lists those cases.

// SchemaNames are the names of the JSON Schemas, each of a kind of file.
var SchemaNames = []string{workspaceKind.schema, projectKind.schema, overlayKind.schema}

// JSONSchema prints the JSON Schema of a kind of file: "workspace", "project" or "overlay".
func JSONSchema(name string) ([]byte, error) {
	for _, k := range []fileKind{workspaceKind, projectKind, overlayKind} {
		if k.schema != name {
			continue
		}
		s := schemaPrinter{definitions: object{}}
		root := s.object(k.object)
		doc := object{
			{"$schema", "http://json-schema.org/draft-07/schema#"},
			{"$id", "https://raw.githubusercontent.com/haz-build/haz/main/docs/schema/" + name + ".schema.json"},
			{"title", "haz: " + name + " file"},
		}
		doc = append(doc, root...)
		if len(s.definitions) > 0 {
			doc = append(doc, member{"definitions", s.definitions})
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(doc); err != nil {
			return nil, fmt.Errorf("print JSON Schema %s: %w", name, err)
		}
		return b.Bytes(), nil
	}
	return nil, fmt.Errorf("there is no JSON Schema %q", name)
}

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	key   string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		for _, part := range []any{m.key, m.value} {
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			if err := e.Encode(part); err != nil {
				return nil, err
			}
			b.Truncate(b.Len() - 1) // Encode ends with a newline
			b.WriteByte(':')
		}
		b.Truncate(b.Len() - 1)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

type list []any

type schemaPrinter struct{ definitions object }

// object is the schema of a map with the keys of o.
func (s *schemaPrinter) object(o *Object) object {
	properties := object{}
	var required list
	for i := range o.Fields {
		f := &o.Fields[i]
		properties = append(properties, member{f.Key, s.field(o, f)})
		if f.Required {
			required = append(required, f.Key)
		}
	}
	out := object{{"description", o.Doc}, {"type", "object"}, {"additionalProperties", false}}
	switch {
	case o == workspaceObject: // one of them says where the projects are
		out = append(out, member{"anyOf", list{object{{"required", required}}, object{{"required", list{"infer"}}, {"properties", object{{"infer", object{{"type", list{"string", "array"}}}}}}}}})
	case required != nil:
		out = append(out, member{"required", required})
	}
	out = append(out, member{"properties", properties})
	if o.Says {
		out = append(out, member{"minProperties", 1})
	}
	if o == taskObject {
		out = append(out, member{"oneOf", oneAction})
	}
	return out
}

// oneAction holds a task to exactly one of command and shell; null is absence.
var oneAction = list{
	object{{"required", list{"command"}}, {"properties", object{
		{"command", object{{"type", "array"}}}, {"shell", object{{"type", "null"}}}, {"shell_type", object{{"type", "null"}}}, {"shell_options", object{{"type", "null"}}},
	}}},
	object{{"required", list{"shell"}}, {"properties", object{
		{"command", object{{"type", "null"}}}, {"shell", object{{"type", list{"string", "number", "boolean"}}}},
	}}},
	object{{"required", list{"inherit"}}, {"properties", object{
		{"inherit", object{{"const", true}}}, {"command", object{{"type", "null"}}}, {"shell", object{{"type", "null"}}},
	}}},
}

// field is the schema of a key's value. Null is the same as leaving an optional key out.
func (s *schemaPrinter) field(o *Object, f *Field) object {
	description := f.Doc
	if f.Default != "" {
		description += " Default: " + strings.ReplaceAll(f.Default, "`", "") + "."
	}
	nullable := !f.Required || f.Type.Kind == ListOf || f.Type.Kind == Dict
	out := object{{"description", description}}
	switch f.Type.Kind {
	case Flag:
		return append(out, member{"type", orNull(nullable, "boolean")})
	case ListOf:
		out = append(out, member{"type", orNull(nullable, "array")})
		items := scalarSchema(f.Type.Format, nil, false)
		switch f.Type.Format {
		case PathPattern:
			items = s.define("path", items)
		case SelectPattern:
			items = s.define("selection", items)
		case InputPattern:
			items = s.define("input", items)
		}
		if f.Type.Object != nil {
			items = object{{"oneOf", list{items, s.object(f.Type.Object)}}}
		}
		if f.Key == "outputs" {
			items = object{{"allOf", list{items, object{{"not", object{{"type", "string"}, {"pattern", `^/\.haz(/|$)`}}}}}}}
		}
		out = append(out, member{"items", items})
		if f.Type.NonEmpty {
			out = append(out, member{"minItems", 1})
		}
		if f.Type.Unique {
			out = append(out, member{"uniqueItems", true})
		}
		return out
	case Map:
		return append(out, member{"oneOf", list{s.object(f.Type.Object), object{{"type", "null"}}}})
	case Dict:
		values := scalarSchema(f.Type.Format, nil, false)
		switch {
		case f.Type.Object != nil:
			values = s.reference(f.Type.Object)
		case f.Type.Lists:
			if f.Type.Format == InputPattern {
				values = s.define("input", values)
			}
			values = object{{"type", "array"}, {"items", values}}
			if f.Type.NonEmpty {
				values = append(values, member{"minItems", 1})
			}
			if f.Type.Unique {
				values = append(values, member{"uniqueItems", true})
			}
		}
		return append(out, member{"type", orNull(nullable, "object")},
			member{"propertyNames", object{{"pattern", patternOf[f.Type.Keys]}}}, member{"additionalProperties", values})
	case ScalarOrMap:
		return append(out, member{"oneOf", list{scalarSchema(f.Type.Format, nil, nullable), s.object(f.Type.Object)}})
	case WordOrList:
		return append(out, member{"anyOf", list{object{{"const", f.Type.Word}}, object{{"type", "null"}},
			object{{"type", "array"}, {"items", scalarSchema(f.Type.Format, f.Type.Allowed, false)}, {"uniqueItems", true}},
			f.Type.each()}})
	default:
		return append(out, scalarSchema(f.Type.Format, f.Type.Allowed, nullable)...)
	}
}

// reference refers to the definition of an object.
func (s *schemaPrinter) reference(o *Object) object {
	if slices.ContainsFunc(s.definitions, func(d member) bool { return d.key == o.Name }) {
		return object{{"$ref", "#/definitions/" + o.Name}}
	}
	return s.define(o.Name, s.object(o))
}

// define defines a schema once and refers to it.
func (s *schemaPrinter) define(name string, schema object) object {
	if !slices.ContainsFunc(s.definitions, func(d member) bool { return d.key == name }) {
		s.definitions = append(s.definitions, member{name, schema})
	}
	return object{{"$ref", "#/definitions/" + name}}
}

func orNull(nullable bool, types ...string) any {
	out := list{}
	for _, t := range types {
		out = append(out, t)
	}
	if nullable {
		out = append(out, "null")
	}
	if len(out) == 1 {
		return out[0]
	}
	return out
}

// The syntax of names; of how long one of several parts is, only the most of each part.
const (
	namePattern     = `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`
	onePart         = `[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}|@[A-Za-z0-9][A-Za-z0-9_.@-]{0,62}`
	firstPart       = `@?[A-Za-z0-9][A-Za-z0-9_.@-]*`
	nextPart        = `\.*[A-Za-z0-9_@-][A-Za-z0-9_.@-]*`
	projectPattern  = `(` + onePart + `|` + firstPart + `(/` + nextPart + `)+)`
	taskNamePattern = `(` + onePart + `|` + firstPart + `([/:]` + nextPart + `)+)`
)

// pathPattern is the syntax of paths and globs but for the order in ranges, and for what braces and their neighbours make
// together. Segments "." and "..", and characters that no path has, are refused beside it, for the sake of its length.
var pathPattern = func() string {
	const (
		members  = `(\][^\]/]*|[^\]/!^][^\]/]*)`
		set      = `\[(` + members + `|[!^](\][^\]/]*|[^\]/]+))\]`
		escape   = `\\[^/]`
		atom     = `(` + escape + `|` + set + `|[^/*\[\\{}])`
		inBraces = `(` + escape + `|` + set + `|[^/*\[\\{},])`
		part     = `(\*\*|(\*?` + inBraces + `)+\*?|\*)`
		parts    = `(` + part + `(/` + part + `)*)?`
		braces   = `\{` + parts + `(,` + parts + `)*\}`
		segment  = `(\*\*|(\*?(` + atom + `|` + braces + `))+\*?|\*)`
		glob     = segment + `(/` + segment + `)*`
		literal  = `[^/*?\[\\{]+(/[^/*?\[\\{]+)*`
	)
	return `(` + glob + `|` + literal + `)`
}()

// patternOf are the regular expressions of formats.
var patternOf = map[Format]string{
	Name:           `^` + namePattern + `$`,
	ProjectName:    `^` + projectPattern + `$`,
	TaskName:       `^` + taskNamePattern + `$`,
	ShellName:      `^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$`,
	EnvName:        `^[A-Za-z_][A-Za-z0-9_]{0,255}$`,
	Program:        `^[^\x00]`,
	PassName:       `^[A-Za-z_][A-Za-z0-9_]{0,255}\*?$`,
	ProjectPattern: `^/` + pathPattern + `?$`,
	PathPattern:    `^/?` + pathPattern + `/?$`,
	SelectPattern:  `^!?/?` + pathPattern + `/?$`,
	InputPattern:   `^!?/?` + pathPattern + `/?$`,
	SetName:        `^` + namePattern + `$`,
	TaskReference:  `^(~:|\^~:|\^:|\^uses:|\[` + namePattern + `\]~?:|` + projectPattern + `:)` + taskNamePattern + `(\[[^\]]+\])?\??$`,
	MutexName:      `^(~:)?` + namePattern + `$`,
	DurationText:   `^([0-9]+[smhdw])+$`,
	PeriodText:     `^([0-9]+(ms|[smhdw]))+$`,
	LiteralText:    `^/?[^/*?\[\\{]+(/[^/*?\[\\{]+)*$`,
	RetryTimes:     `^\+?(0|(0_?)*[1-9](_?[0-9])?|100)$`,
	RetryFactor:    `^\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`,
	FailureText:    `^(timeout|signal|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$`,
	SizeText:       `^[0-9]+([KMGT]?B|[KMGT]iB)?$`,
	Location:       `^(~/+[^/]|\.?/+[^/]|\.\./)`,
	Cap:            `^\+?((0_?)*[1-9](_?[0-9])*|0x(0_?)*[1-9A-Fa-f](_?[0-9A-Fa-f])*|0o(0_?)*[1-7](_?[0-7])*|0b(0_?)*1(_?[01])*)$`,
	EnvFile:        `^.*[^?/].*$`,
	UmaskText:      `^(0o)?0*[0-7]{1,2}$`,
	Grace:          `^\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`,
}

// typesOf are the JSON types that a text of a format may look like to YAML: `name: 1` is the name "1".
var typesOf = map[Format][]string{
	AnyText:        {"string", "number", "boolean"},
	Argument:       {"string", "number", "boolean"},
	Program:        {"string", "number", "boolean"},
	Name:           {"string", "integer", "boolean"},
	ProjectName:    {"string", "number", "boolean"},
	TaskName:       {"string", "number", "boolean"},
	ShellName:      {"string", "integer", "boolean"},
	EnvName:        {"string", "boolean"},
	PassName:       {"string", "boolean"},
	ProjectPattern: {"string"},
	PathPattern:    {"string", "number", "boolean"},
	SelectPattern:  {"string", "number", "boolean"},
	InputPattern:   {"string", "number", "boolean"},
	TaskReference:  {"string"},
	MutexName:      {"string", "integer", "boolean"},
	DurationText:   {"string"},
	PeriodText:     {"string"},
	LiteralText:    {"string", "number", "boolean"},
	RetryTimes:     {"integer", "string"},
	RetryFactor:    {"number", "string"},
	FailureText:    {"string", "integer"},
	SizeText:       {"string", "integer"},
	Location:       {"string"},
	Cap:            {"integer", "string"},
	EnvFile:        {"string", "number", "boolean"},
	UmaskText:      {"integer", "string"},
	Grace:          {"number", "string"},
}

func scalarSchema(f Format, allowed []string, nullable bool) object {
	if allowed != nil {
		values := list{}
		for _, a := range allowed {
			values = append(values, a)
		}
		if nullable {
			values = append(values, nil)
		}
		return object{{"enum", values}}
	}
	if f == Concurrency {
		any := list{object{{"const", "auto"}}, object{{"type", "integer"}, {"minimum", 1}}}
		if nullable {
			any = append(any, object{{"type", "null"}})
		}
		return object{{"anyOf", any}}
	}
	out := object{{"type", orNull(nullable, typesOf[f]...)}}
	if p, ok := patternOf[f]; ok {
		out = append(out, member{"pattern", p})
	}
	switch f {
	case Name, ProjectName, TaskName, ShellName, MutexName, SizeText, UmaskText, Grace:
		out = append(out, member{"minimum", 0})
	case Cap:
		out = append(out, member{"minimum", 1})
	case RetryTimes:
		out = append(out, member{"minimum", 0}, member{"maximum", workspace.RetriesMax})
	case RetryFactor:
		out = append(out, member{"minimum", 1}, member{"maximum", factorMax})
	case FailureText:
		out = append(out, member{"minimum", 1}, member{"maximum", 255})
	case ProjectPattern, PathPattern, SelectPattern, InputPattern, LiteralText:
		none := func(pattern string) object { return object{{"not", object{{"type", "string"}, {"pattern", pattern}}}} }
		all := list{none(`(^!?|/)\.\.?(/|$)`), none(`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]`)}
		switch f {
		case InputPattern: // behind "$" stands a name
			all = append(all, none(`^!?\$([^A-Za-z0-9]|$|.[A-Za-z0-9_-]*[^A-Za-z0-9_-]|.[A-Za-z0-9_-]{64})`))
		case PathPattern, SelectPattern: // sets belong into inputs
			all = append(all, none(`^!?\$`+namePattern+`$`))
		}
		out = append(out, member{"patternErrorMessage", "This is no path or glob: folders are separated by one /, and ** stands alone between them."}, member{"allOf", all})
	case DurationText:
		out = append(out, member{"not", object{{"type", "string"}, {"pattern", `s.*s|m.*m|h.*h|d.*d|w.*w`}}})
	case PeriodText:
		out = append(out, member{"not", object{{"type", "string"}, {"pattern", `[0-9]s.*[0-9]s|ms.*ms|[0-9]m[0-9].*[0-9]m([0-9]|$)|h.*h|d.*d|w.*w`}}})
	}
	return out
}

// each is the map form of WordOrList: of node which scripts are tasks, of the others nothing.
func (t Type) each() object {
	properties := object{}
	for _, word := range t.Allowed {
		more := object{}
		if word == "node" {
			more = object{{"scripts", object{{"anyOf", list{object{{"type", "boolean"}}, object{{"type", "array"}, {"items", object{{"type", "string"}}}, {"uniqueItems", true}}}}}}}
		}
		properties = append(properties, member{word, object{{"type", list{"object", "null"}}, {"properties", more}, {"additionalProperties", false}}})
	}
	return object{{"type", "object"}, {"properties", properties}, {"additionalProperties", false}, {"minProperties", 1}}
}
