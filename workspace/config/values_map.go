package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// object maps n to rec by the keys of o. The result is false when some of it could not be read.
func (m *mapper) object(o *Object, rule string, n *yaml.Node, rec record) bool {
	v := deref(n)
	if v.Kind != yaml.MappingNode {
		m.wrongType(rule, n, "a map").Hint = o.like(value{node: n})
		return false
	}
	list, ok := m.entries(v)
	if !ok {
		m.incomplete(rec, "")
	}
	if o.Says && ok && len(list) == 0 {
		m.add(rule, m.span(n), o.Article+" says nothing", o.example())
		return false
	}
	for _, e := range list {
		f := o.field(e.key.Value)
		if f == nil {
			// What the key was meant to be may be missed later; that would be the same mistake told twice.
			if meant := m.unknownKey(o, e, list); meant != "" {
				m.incomplete(rec, meant)
				m.saw(meant)
			}
			ok = false
			continue
		}
		m.saw(f.Key)
		m.push(step{key: f.Key})
		if !m.value(f, e.value, rec.slot(f.Key)) {
			m.incomplete(rec, f.Key)
			ok = false
		}
		m.pop()
	}
	return ok
}

// incomplete tells a record that wants to know that the value of a key (or, with "", anything) could not be read whole.
func (m *mapper) incomplete(rec record, key string) {
	if r, ok := rec.(interface{ incomplete(key string) }); ok {
		r.incomplete(key)
	}
}

// unknownKey reports a key that the map does not have, and returns the one that was probably meant, or "".
func (m *mapper) unknownKey(o *Object, e entry, in []entry) (meant string) {
	keys := o.keys()
	message := fmt.Sprintf("unknown key %s; %s has %s", diag.QuoteShort(e.key.Value), o.Article, orList(keys, "and"))
	meant, hint := foreignHint(o, e.key.Value, value{e.value, in})
	if hint == "" {
		if meant = diag.Nearest(e.key.Value, keys); meant != "" {
			hint = diag.DidYouMean(meant)
		}
	}
	m.add(o.Rule, e.key.Span, message, hint)
	return meant
}

// orList prints a, b and c.
func orList(items []string, word string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:len(items)-1], ", ") + " " + word + " " + items[len(items)-1]
}

// value maps the value of a field into its slot. Null is the same as leaving an optional key out (and the required lists and
// maps projects and tasks become empty).
func (m *mapper) value(f *Field, n *yaml.Node, slot any) bool {
	if isNull(n) {
		switch {
		case !f.Required:
			return true
		case f.Type.Kind == ListOf || f.Type.Kind == Dict:
			return true
		}
	}
	switch s := slot.(type) {
	case *Text:
		return m.scalar(f, n, s)
	case *Bool:
		return m.flag(f, n, s)
	case *List:
		items, ok := m.list(f, n)
		*s = items
		return ok
	case *Patterns:
		items, ok := m.patterns(f, n)
		*s = items
		return ok
	case *Deps:
		items, ok := m.deps(f, n)
		*s = items
		return ok
	case *Tools:
		items, ok := m.tools(f, n)
		*s = items
		return ok
	case *Duration:
		return m.duration(f, n, s)
	case *Size:
		return m.size(f, n, s)
	case *concurrency:
		return m.concurrency(f, n, s)
	case *Infer:
		return m.infer(f, n, s)
	case *[]TagCap:
		return m.tagCaps(f, n, s)
	case *[]Pair:
		return m.pairs(f, n, s)
	case *[]Axis:
		return m.matrix(f, n, s)
	case *[]FileSet:
		return m.files(f, n, s)
	case *[]Task:
		return m.tasks(f, n, s)
	case *Mutex:
		return m.mutex(f, n, s)
	case *Retry:
		return m.retry(f, n, s)
	case *Int:
		return m.integer(f, n, s)
	case *Service:
		return m.service(f, n, s)
	case *Ready:
		return m.ready(f, n, s)
	case *readyHTTP:
		return m.readyHTTP(f, n, s)
	case *Port:
		return m.port(f, n, s)
	case *Factor:
		return m.factor(f, n, s)
	case *[]RetryCause:
		return m.retryCauses(f, n, s)
	case record:
		return m.object(f.Type.Object, f.Rule, n, s)
	}
	panic(fmt.Sprintf("workspace/config: no way to map key %s into %T", f.Key, slot)) // schema_test.go tries every key
}

// scalar maps a text of a field.
func (m *mapper) scalar(f *Field, n *yaml.Node, out *Text) bool {
	if f.Key == "shell" && deref(n).Kind == yaml.SequenceNode {
		m.wrongType(f.Rule, n, "a string").Hint = "a list of program and arguments is a command: command: [\"program\", \"argument\"]"
		return false
	}
	t, ok := m.text(f.Rule, n, "a string")
	if ok {
		t, ok = m.cellText(f, t)
	}
	if !ok || !m.allowed(f, t) || !m.check(f.Rule, f.Type.Format, t) {
		return false
	}
	*out = t
	return true
}

// systems are the names that systems have elsewhere.
var systems = map[string]string{"mac": "macos", "osx": "macos", "os x": "macos", "mac os": "macos", "macosx": "macos", "apple": "macos",
	"win": "windows", "win32": "windows", "win64": "windows", "gnu/linux": "linux", "ubuntu": "linux", "debian": "linux", "alpine": "linux", "fedora": "linux"}

// allowed holds a text to the few that a field takes.
func (m *mapper) allowed(f *Field, t Text) bool {
	if f.Type.Allowed == nil {
		return true
	}
	if slices.Contains(f.Type.Allowed, t.Value) {
		return true
	}
	quotes := make([]string, len(f.Type.Allowed))
	for i, a := range f.Type.Allowed {
		quotes[i] = diag.Quote(a)
	}
	hint := ""
	lower := strings.ToLower(t.Value)
	if near := diag.Nearest(lower, f.Type.Allowed); near != "" {
		hint = diag.DidYouMean(near)
	} else if slices.Contains(f.Type.Allowed, lower) {
		hint = diag.DidYouMean(lower)
	} else if f.Key == "os" && systems[lower] != "" {
		hint = diag.DidYouMean(systems[lower])
	}
	m.add(f.Rule, t.Span, fmt.Sprintf("%s is no %s; it is %s", diag.QuoteShort(t.Value), f.Key, orList(quotes, "or")), hint)
	return false
}

func (m *mapper) flag(f *Field, n *yaml.Node, out *Bool) bool {
	if isPlain(n) {
		switch deref(n).Value {
		case "true", "True", "TRUE":
			*out = Bool{Value: true, Set: true, Span: m.span(n)}
			return true
		case "false", "False", "FALSE":
			*out = Bool{Set: true, Span: m.span(n)}
			return true
		}
	}
	found, hint := m.describe(n), ""
	if v := deref(n); v.Kind == yaml.ScalarNode {
		hint = flagHint(f.Key, v.Value)
		found = diag.QuoteShort(v.Value)
		if v.Style&quoted != 0 {
			found = "the string " + found
		}
	}
	if f.Key == "cache" && isMap(n) {
		hint = "cache: false for a task that runs each time; inputs and outputs are keys of the task itself"
	}
	m.add(f.Rule, m.span(n), "want true or false (without quotes), found "+found, hint)
	return false
}

// list maps a list of texts.
func (m *mapper) list(f *Field, n *yaml.Node) (List, bool) {
	return sequence(m, f, n, func(v *yaml.Node, out *List) bool {
		ok := m.each(f, v, func(t Text) bool {
			out.Items = append(out.Items, t)
			return true
		})
		return m.nonEmpty(f, n, len(v.Content)) && ok
	})
}

// sequence maps a list: fill maps its items, once however many aliases lead to it.
func sequence[T any](m *mapper, f *Field, n *yaml.Node, fill func(v *yaml.Node, out *Items[T]) bool) (Items[T], bool) {
	v := deref(n)
	if known, ok := m.shared[v].(sharedItems[T]); ok && known.field == f {
		return known.items, known.ok
	}
	if v.Kind != yaml.SequenceNode {
		m.notAList(f, n)
		return Items[T]{}, false
	}
	out := Items[T]{Items: make([]T, 0, len(v.Content)), Span: m.span(n), Set: true}
	ok := fill(v, &out)
	if v.Anchor != "" {
		m.share(v, sharedItems[T]{f, out, ok})
	}
	return out, ok
}

type sharedItems[T any] struct {
	field *Field
	items Items[T]
	ok    bool
}

// mixed maps a list whose items are texts, or maps that have such a text under a key: each text once.
func mixed[T any](m *mapper, f *Field, n *yaml.Node, item func(*Field, *yaml.Node) (T, bool), text func(T) Text) (Items[T], bool) {
	return sequence(m, f, n, func(v *yaml.Node, out *Items[T]) bool {
		ok := true
		var seen textSet
		for i, node := range v.Content {
			m.push(step{index: i, item: true})
			if x, good := item(f, node); good && m.once(f, &seen, text(x)) {
				out.Items = append(out.Items, x)
			} else {
				ok = false
			}
			m.pop()
		}
		return ok
	})
}

// textOrMap maps an item of such a list to rec, whose text it is, or which has to have it. want names both forms.
func (m *mapper) textOrMap(f *Field, n *yaml.Node, rec record, text *Text, want, lacks, hint string) (ok bool) {
	switch v := deref(n); {
	case isNull(v) && v.Value != "":
		m.wrongType(f.Rule, n, "a string")
		return false
	case v.Kind == yaml.ScalarNode && !isNull(v):
		if *text, ok = m.text(f.Rule, n, "a string"); ok {
			*text, ok = m.cellText(f, *text)
		}
		return ok && m.check(f.Rule, f.Type.Format, *text)
	case v.Kind != yaml.MappingNode:
		m.wrongType(f.Rule, n, want).Hint = hint
		return false
	}
	if !m.object(f.Type.Object, f.Rule, n, rec) {
		return false
	}
	if !text.Set {
		m.add(f.Rule, m.span(n), lacks, hint)
		return false
	}
	return true
}

func (m *mapper) share(n *yaml.Node, v any) {
	if m.shared == nil {
		m.shared = map[*yaml.Node]any{}
	}
	m.shared[n] = v
}

// each calls take with the good items of a list: texts of the right form, each once where the field says so.
func (m *mapper) each(f *Field, v *yaml.Node, take func(Text) bool) (ok bool) {
	ok = true
	var seen textSet
	unique := f.Type.Unique && len(v.Content) > 1
	if unique {
		seen.few = make([]Text, 0, min(len(v.Content), short+1))
	}
	for i, item := range v.Content {
		m.push(step{index: i, item: true})
		t, good := m.item(f, item)
		if good {
			t, good = m.cellText(f, t)
		}
		good = good && m.check(f.Rule, f.Type.Format, t)
		if good && unique {
			good = m.once(f, &seen, t)
		}
		ok = good && take(t) && ok
		m.pop()
	}
	return ok
}

// item reads an item of a list of texts.
func (m *mapper) item(f *Field, n *yaml.Node) (Text, bool) {
	if f.Key == "weakDeps" && isMap(n) {
		m.wrongType(f.Rule, n, "a string").Hint = "maps belong to deps: of what weakDeps name, nothing is in the key"
		return Text{}, false
	}
	if f.Key == "after" && isMap(n) {
		m.wrongType(f.Rule, n, "a string").Hint = `after: ["~:cleanup"]`
		return Text{}, false
	}
	if f.Key == "uses" && isMap(n) {
		d := m.wrongType(f.Rule, n, "a string")
		if name := nameOfUse(value{node: n}); name != "" {
			d.Hint = shortLine("the name alone: " + yamlText(name))
		}
		return Text{}, false
	}
	if f.Type.Format == InputPattern && isMap(n) {
		m.wrongType(f.Rule, n, "a string").Hint = foreignItem(value{node: n})
		return Text{}, false
	}
	return m.text(f.Rule, n, "a string")
}

// once refuses a text that stands in the list already. What may be missing, with `?` behind it, is what it is without.
func (m *mapper) once(f *Field, seen *textSet, t Text) bool {
	same := t
	switch f.Type.Format {
	case EnvFile:
		same.Value, _ = OptionalFile(t.Value)
	case TaskReference:
		same.Value = strings.TrimSuffix(t.Value, "?")
	}
	first, again := seen.add(same)
	if again {
		d := m.add(f.Rule, t.Span, diag.QuoteShort(t.Value)+" is listed twice", "remove one of them")
		d.Related = m.related(first, "first occurrence here")
	}
	return !again
}

// longest is how long a text may be, in bytes, for a hint to repeat it.
const longest = 100

func (m *mapper) notAList(f *Field, n *yaml.Node) {
	d := m.wrongType(f.Rule, n, "a list of strings")
	v := deref(n)
	switch {
	case v.Kind == yaml.ScalarNode && f.Type.Format == TaskReference:
		d.Hint = writeReferences(f.Key, value{node: n})
	case v.Kind == yaml.MappingNode && f.Key == "uses":
		d.Hint = writeUses(f.Key, value{node: n})
	case v.Kind == yaml.MappingNode && f.Key == "tools":
		d.Hint = toolHint
	case v.Kind == yaml.MappingNode && f.Key == "deps":
		d.Hint = "deps: [" + depHint + "]"
	case v.Kind == yaml.ScalarNode && f.Key == "outputs" && len(v.Value) <= longest/2 && !strings.Contains(v.Value, "\n"):
		d.Hint = outputHint(v.Value)
	case v.Kind == yaml.ScalarNode && f.Key == "probe":
		d.Hint = "probe: [node, --version]"
	case v.Kind == yaml.ScalarNode && f.Key == "command":
		d.Hint = commandHint(v.Value)
	case v.Kind == yaml.ScalarNode && len(v.Value) <= longest && !strings.Contains(v.Value, "\n"):
		d.Hint = f.Key + ": [" + yamlText(v.Value) + "]"
	case f.Key == "projects":
		d.Hint = someProjects
	}
	if f.Key == "projects" && v.Kind == yaml.ScalarNode {
		if hint := writeProjects(f.Key, value{node: n}); hint != "" {
			d.Hint = hint
		}
	}
	if f.Key == "projects" {
		d.Hint += noProjects
	}
}

// commandHint shows a command written as one text in both right spellings. Splitting at spaces is only right without
// quotes and the like; then it shows the form alone.
func commandHint(text string) string {
	if text == "" || len(text) > longest || strings.ContainsAny(text, "\"'\\|&;<>()$`*?[]{}~#\n") {
		if text != "" && len(text) <= longest {
			return `command: ["program", "argument"]    or    shell: ` + yamlText(text)
		}
		return `command: ["program", "argument"]    or    shell: "script"`
	}
	words := strings.Fields(text)
	for i, w := range words {
		words[i] = `"` + w + `"`
	}
	return "command: [" + strings.Join(words, ", ") + "]    or    shell: " + `"` + text + `"`
}

// yamlText prints a text so that YAML reads it back.
func yamlText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\t", `\t`, "\n", `\n`).Replace(s) + `"`
}

// yamlKey spells a name as a key.
func yamlKey(name string) string {
	if workspace.CheckName(name) == nil {
		return name
	}
	return yamlText(name)
}

func (m *mapper) nonEmpty(f *Field, n *yaml.Node, items int) bool {
	if !f.Type.NonEmpty || items > 0 {
		return true
	}
	switch f.Key {
	case "command":
		m.add(f.Rule, m.span(n), "the command is empty", `command: ["program", "argument"]    or    shell: "script"`)
	case "tagsFilter":
		m.add(f.Rule, m.span(n), "tagsFilter is empty", "leave the key out to attach to every project")
	default:
		m.add(f.Rule, m.span(n), f.Key+" is empty", "")
	}
	return false
}

// short is how many things are searched one by one; more are searched by a table.
const short = 12

// textSet finds texts that occur twice.
type textSet struct {
	few   []Text
	table map[string]Span
}

func (s *textSet) add(t Text) (first Span, again bool) {
	if s.table != nil {
		if first, again = s.table[t.Value]; !again {
			s.table[t.Value] = t.Span
		}
		return first, again
	}
	for i := range s.few {
		if s.few[i].Value == t.Value {
			return s.few[i].Span, true
		}
	}
	s.few = append(s.few, t)
	if len(s.few) > short {
		s.table = make(map[string]Span, 4*short)
		for _, t := range s.few {
			s.table[t.Value] = t.Span
		}
	}
	return Span{}, false
}
