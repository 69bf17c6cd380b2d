package moving

import (
	"slices"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/infer/node"
)

// nxTarget is what one place says of a target, or what several of them say together.
type nxTarget struct {
	name, executor string
	place          diag.Place
	options        map[string]node.Field
	configs        []string // names of configurations, in the order in which they stand
	configurations map[string]map[string]node.Field
	config         string // the configuration that counts without a word
	// What follows is nil where it is not said.
	dependsOn, inputs, outputs *[]*node.Value
	cache, continuous          *bool
	description                string
	notes                      map[string]note // by key
}

// nxShorthand is the executor of targets that say a command alone.
const nxShorthand = "nx:run-commands"

// nxOdd are keys of targets that change nothing here.
var nxOdd = set("metadata syncGenerators $schema")

// nxTarget reads one.
func (s *source) nxTarget(name string, f node.Field) *nxTarget {
	t := &nxTarget{name: name, place: f.Place(), notes: map[string]note{}}
	if !f.Value.IsObject() {
		s.bad(f.Value.Mistake("an object"))
		return t
	}
	for key, field := range f.Value.Fields() {
		v := field.Value
		switch key {
		case "executor", "builder":
			t.executor = s.text(v)
		case "command":
			t.executor = nxShorthand
			t.setOption("command", field)
			s.text(v)
		case "options":
			for name, o := range s.object(v).Fields() {
				t.setOption(name, o)
			}
		case "configurations":
			s.nxConfigurations(t, v)
		case "defaultConfiguration":
			t.config = s.text(v)
		case "dependsOn", "inputs", "outputs":
			list, ok := v.Items()
			if !ok {
				s.bad(v.Mistake("a list"))
			}
			s.nxItems(key, list)
			*map[string]**[]*node.Value{"dependsOn": &t.dependsOn, "inputs": &t.inputs, "outputs": &t.outputs}[key] = &list
		case "cache", "continuous":
			is, ok := v.Bool()
			if !ok {
				s.bad(v.Mistake("a boolean"))
			}
			*map[string]**bool{"cache": &t.cache, "continuous": &t.continuous}[key] = &is
		case "parallelism":
			if is, ok := v.Bool(); ok && !is {
				t.notes[key] = notCarried("task", key, field)
			}
		case "description":
			t.description = s.text(v)
		default:
			if !nxOdd[key] {
				t.notes[key] = notCarried("task", key, field)
			}
		}
	}
	return t
}

// nxItems looks at the items of a list of a target.
func (s *source) nxItems(key string, list []*node.Value) {
	for _, v := range list {
		if _, ok := v.Text(); !ok && key == "outputs" {
			s.bad(v.Mistake("a text"))
		} else if !ok && !v.IsObject() {
			s.bad(v.Mistake("a text or an object"))
		}
	}
}

func (t *nxTarget) setOption(name string, f node.Field) {
	if t.options == nil {
		t.options = map[string]node.Field{}
	}
	t.options[name] = f
}

func (s *source) nxConfigurations(t *nxTarget, v *node.Value) {
	t.configurations = map[string]map[string]node.Field{}
	for name, c := range s.object(v).Fields() {
		options := map[string]node.Field{}
		for key, o := range s.object(c.Value).Fields() {
			options[key] = o
		}
		if t.configurations[name] == nil {
			t.configs = append(t.configs, name)
		}
		t.configurations[name] = options
	}
}

// text is that of a value that has to be one.
func (s *source) text(v *node.Value) string {
	text, ok := v.Text()
	if !ok {
		s.bad(v.Mistake("a text"))
	}
	return text
}

// object is a value that has to be one.
func (s *source) object(v *node.Value) *node.Value {
	if !v.IsObject() {
		s.bad(v.Mistake("an object"))
	}
	return v
}

// fits reports whether two places may speak of one target: at most one of them says what carries it out, or both say the same.
func (t *nxTarget) fits(by *nxTarget) bool {
	if t.executor == "" || by.executor == "" {
		return true
	}
	return t.executor == by.executor && (t.executor != "nx:run-script" || t.option("script") == by.option("script") || t.option("script") == "" || by.option("script") == "")
}

// option is the text of one; "" where it has none.
func (t *nxTarget) option(name string) string {
	text, _ := t.options[name].Value.Text()
	return text
}

// extend is the target with what another place says more: key by key, options name by name. A place that says another executor stands alone.
func (t *nxTarget) extend(by *nxTarget) *nxTarget {
	switch {
	case t == nil || by != nil && !t.fits(by):
		return by
	case by == nil:
		return t
	}
	out := *t
	out.place, out.notes = by.place, map[string]note{}
	for _, from := range []*nxTarget{t, by} {
		for key, n := range from.notes {
			out.notes[key] = n
		}
	}
	out.options = over(t.options, by.options)
	out.configurations = map[string]map[string]node.Field{}
	out.configs = unique(slices.Concat(t.configs, by.configs))
	for _, name := range out.configs {
		out.configurations[name] = over(t.configurations[name], by.configurations[name])
	}
	for _, text := range []struct{ to, by *string }{{&out.executor, &by.executor}, {&out.config, &by.config}, {&out.description, &by.description}} {
		if *text.by != "" {
			*text.to = *text.by
		}
	}
	out.dependsOn, out.inputs, out.outputs = spread(t.dependsOn, by.dependsOn), spread(t.inputs, by.inputs), spread(t.outputs, by.outputs)
	for _, flag := range []struct{ to, by **bool }{{&out.cache, &by.cache}, {&out.continuous, &by.continuous}} {
		if *flag.by != nil {
			*flag.to = *flag.by
		}
	}
	return &out
}

// over are options with those of a nearer place.
func over(base, by map[string]node.Field) map[string]node.Field {
	out := map[string]node.Field{}
	for _, from := range []map[string]node.Field{base, by} {
		for name, f := range from {
			out[name] = f
		}
	}
	return out
}

// spread is the nearer of two lists; "..." in it stands for the other one.
func spread(base, by *[]*node.Value) *[]*node.Value {
	if by == nil {
		return base
	}
	var out []*node.Value
	for _, v := range *by {
		if text, _ := v.Text(); text != "..." {
			out = append(out, v)
		} else if base != nil {
			out = append(out, *base...)
		}
	}
	return &out
}

// sortedNotes are the notes of a target by their keys.
func (t *nxTarget) sortedNotes() []note { return (&turboTask{notes: t.notes}).sortedNotes() }
